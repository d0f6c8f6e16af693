"""Jobs and CronJobs (pkg/apis/batch/validation of Kubernetes 1.35)."""

from collections.abc import Iterator

from rebirth.proof.validation.pods import restarts, template
from rebirth.proof.validation.schedules import is_no_zone, unreadable
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    at_least,
    choice,
    entries,
    has,
    inner,
    is_known,
    needs,
    needs_entry,
    number,
    one_of,
    shown,
    text,
)

_LONGEST = 52  # characters of a CronJob's name: its Jobs' have a time behind it
_SPEC = ("spec",)


def job(data: Fields) -> Iterator[Refusal]:
    yield from _job_spec(inner(data, "spec"), _SPEC)


def cron_job(data: Fields) -> Iterator[Refusal]:
    name = text(inner(data, "metadata"), "name")
    if len(name) > _LONGEST:
        yield Refusal(("metadata", "name"), f"has {len(name)} characters, and that of a CronJob at most {_LONGEST}")
    spec = inner(data, "spec")
    schedule = text(spec, "schedule")
    if wrong := unreadable(schedule) if schedule else "":
        yield Refusal((*_SPEC, "schedule"), f"is {schedule}: {wrong}")
    elif schedule.startswith(("TZ=", "CRON_TZ=")):
        words = f"is {schedule}: a time zone belongs into timeZone"
        yield Refusal((*_SPEC, "schedule"), words, since="1.29")
    zone = text(spec, "timeZone")
    if spec.get("timeZone") == "":
        yield Refusal((*_SPEC, "timeZone"), "is empty")
    if zone and is_no_zone(zone):
        yield Refusal(
            (*_SPEC, "timeZone"), f"is {shown(zone)}, and no time zone is called so; they are written like Europe/Rome"
        )
    yield from at_least(
        spec, _SPEC, 0, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
    )
    made = inner(spec, "jobTemplate", "spec")
    where = (*_SPEC, "jobTemplate", "spec")
    yield from _job_spec(made, where)
    if (
        text(made, "completionMode") == "Indexed" and made.get("completions") is None
    ):  # no Job yet that would have a default
        yield Refusal((*where, "completions"), "is missing beside `completionMode: Indexed`")
    if made.get("manualSelector") is True:
        yield Refusal((*where, "manualSelector"), "may not be true in a CronJob")


def _job_spec(spec: Fields, path: Path) -> Iterator[Refusal]:
    limits = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    yield from at_least(spec, path, 0, *limits, "backoffLimitPerIndex", "maxFailedIndexes")
    yield from _indexed(spec, path)
    yield from choice(spec, path, "podReplacementPolicy", "Failed", "TerminatingOrFailed")
    pod = inner(spec, "template", "spec")
    if pod:
        yield from template(inner(spec, "template"), (*path, "template"))
        yield from restarts(pod, (*path, "template", "spec"), "OnFailure", "Never")
        if has(spec, "podFailurePolicy"):
            yield from _failures(spec, path)
            if text(pod, "restartPolicy") == "OnFailure":
                yield Refusal(
                    (*path, "template", "spec", "restartPolicy"),
                    "is OnFailure and must be Never beside a podFailurePolicy",
                )


def _indexed(spec: Fields, path: Path) -> Iterator[Refusal]:
    """What is done by index alone."""
    yield from choice(spec, path, "completionMode", "NonIndexed", "Indexed")
    mode = text(spec, "completionMode")
    if mode == "Indexed":
        if spec.get("completions") is None and spec.get("parallelism") is not None:
            yield Refusal((*path, "completions"), "is missing beside `completionMode: Indexed`")
    elif is_known(spec.get("completionMode")):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if has(spec, field):
                yield Refusal((*path, field), "is there without `completionMode: Indexed`")
    most, failed = number(spec, "completions"), number(spec, "maxFailedIndexes")
    if most is not None and failed is not None and failed > most and mode == "Indexed":
        yield Refusal((*path, "maxFailedIndexes"), f"is {failed} and must be at most completions, {most}")
    if failed is not None and not has(spec, "backoffLimitPerIndex"):
        yield Refusal((*path, "backoffLimitPerIndex"), "is missing beside maxFailedIndexes")


def _failures(spec: Fields, path: Path) -> Iterator[Refusal]:
    policy = inner(spec, "podFailurePolicy")
    for index, rule in entries(policy, "rules"):
        where = (*path, "podFailurePolicy", "rules", index)
        yield from needs(rule, where, "action")
        yield from one_of(rule, where, "action", "FailJob", "FailIndex", "Ignore", "Count")
        given = [key for key in ("onExitCodes", "onPodConditions") if rule.get(key)]
        if len(given) != 1:
            said = "has both" if given else "has none of"
            yield Refusal(where, f"{said} onExitCodes and onPodConditions: one of them has to be there")
        if isinstance(rule.get("onExitCodes"), dict):
            yield from _codes(rule["onExitCodes"], (*where, "onExitCodes"), inner(spec, "template", "spec"))
        for at, condition in entries(rule, "onPodConditions"):
            inside = (*where, "onPodConditions", at)
            yield from needs(condition, inside, "type")
            yield from one_of(condition, inside, "status", "True", "False", "Unknown")


def _codes(codes: Fields, path: Path, pod: Fields) -> Iterator[Refusal]:
    yield from needs(codes, path, "operator")
    yield from one_of(codes, path, "operator", "In", "NotIn")
    yield from needs_entry(codes, path, "values")
    listed = codes.get("values")
    values = [value for value in (listed if isinstance(listed, list) else ()) if type(value) is int]
    if text(codes, "operator") == "In" and 0 in values:
        yield Refusal((*path, "values"), "has 0, which is no failure")
    elif values != sorted(set(values)):
        yield Refusal((*path, "values"), "must be in order, each once")
    names = {container.get("name") for part in ("containers", "initContainers") for _, container in entries(pod, part)}
    named = text(codes, "containerName")
    if named and named not in names and all(map(is_known, names)):
        yield Refusal((*path, "containerName"), f"is {shown(named)}, and the pod has no such container")
