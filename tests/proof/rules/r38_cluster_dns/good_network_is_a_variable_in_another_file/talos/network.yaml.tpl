cluster:
  network:
    serviceSubnets: ["{{ .Data.networks }}"]
