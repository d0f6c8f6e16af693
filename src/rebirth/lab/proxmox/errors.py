"""How Proxmox says no."""

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"


class PveError(Exception):
    """Answered the way Proxmox answers. In a task: its exit status."""

    def __init__(self, message: str, status: int = 500, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.errors = status, errors


def refused(errors: dict[str, str]) -> PveError:
    """Parameters that Proxmox does not take: 400, with a reason for each."""
    return PveError("Parameter verification failed.", 400, errors)
