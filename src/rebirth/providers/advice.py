"""What a person may do about an API server that refuses, fails or does not answer."""

from dataclasses import dataclass
from pathlib import Path

from rebirth.errors import NoAnswer
from rebirth.providers.certificates import mistrusted

SYSTEM = "Kubernetes"


@dataclass(frozen=True)
class Advice:
    """For one cluster, which is reached with `kubeconfig`: a castle's, or somebody's that is only looked at."""

    kubeconfig: Path
    castles: bool = True

    @property
    def _endpoint(self) -> str:
        return "kubernetes.endpoint" if self.castles else f"the server in {self.kubeconfig}"

    @property
    def unwell(self) -> str:
        """Where the API server answers with an error of its own, or somebody in between does."""
        asked = f"kubectl --kubeconfig {self.kubeconfig} get --raw '/readyz?verbose'"
        return f"`{asked}` says what the API server lacks; `talosctl dmesg` and etcd's log say why."

    @property
    def elsewhere(self) -> str:
        """Where what answers is no API server."""
        return f"Is {self._endpoint} right? A load balancer, a proxy or another server may be answering there."

    def refused(self, status: int) -> str:
        """Where it refuses: 401 who asks, 403 what is asked, others how it is asked."""
        if not self.castles:
            return "Log in again, or choose another --context; who asks has to be allowed to get and list everything but Secrets."
        if status == 401:
            return f"Remove {self.kubeconfig}: `rebirth create` writes it again, for this cluster."
        if status == 403:
            return (
                "A quota, a policy or an admission webhook forbids it, as it says: change that, or what is asked for."
            )
        return "See what castle.yaml or the repository says of this object; if that is right, this is a bug; please report it."

    def disputed(self, kind: str, name: str, namespace: str | None) -> str:
        """Where somebody else owns fields of an object, with other values."""
        where = f" --namespace {namespace}" if namespace else ""
        patch = '{"metadata":{"managedFields":[{}]}}'
        return (
            f"Undo it there; or, if this castle may have the object, clear who owns its fields and run the same command again: "
            f"kubectl --kubeconfig {self.kubeconfig} patch {kind} {name}{where} --type merge --patch '{patch}'"
        )

    def no_answer(self, what: str, error: Exception) -> NoAnswer:
        """A request that failed before there was an answer."""
        if refused := mistrusted(error, system=what, operation="", address=self._endpoint):
            return NoAnswer(str(refused), hint=refused.hint)
        hint = f"Is {self._endpoint} right, and reachable from here? Do the control planes run?"
        return NoAnswer(f"{what}: {type(error).__name__}", hint=hint)
