// Command webserver serves the folder /site on port 8080: what a site's image holds besides its pages.
package main

import (
	"log"
	"net/http"
)

func main() {
	http.Handle("/", http.FileServer(http.Dir("/site")))
	log.Fatal(http.ListenAndServe(":8080", nil))
}
