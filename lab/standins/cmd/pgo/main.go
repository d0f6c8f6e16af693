// Command pgo stands in for Crunchy's PostgreSQL operator: a PostgresCluster becomes a real PostgreSQL, a Service
// <cluster>-primary, and for each user a Secret <cluster>-pguser-<user> with a password that is new each time.
package main

import (
	"log"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "database" {
		if err := database(); err != nil {
			log.Fatal(err)
		}
		return
	}
	operate()
}
