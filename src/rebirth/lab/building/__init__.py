"""What the lab runs is built here: programs from pinned modules, images, charts, sites."""
