from rebirth.fleet.kinds.kind import Kind, of_castle

KIND = Kind(
    "destroy",
    lambda job: of_castle(job, "destroy", "--yes"),
    lambda _: "",
    in_lab=True,
    destroys=True,
)
