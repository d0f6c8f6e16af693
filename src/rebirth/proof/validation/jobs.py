"""Jobs and CronJobs (pkg/apis/batch/validation of Kubernetes 1.35)."""

from collections.abc import Iterator

from rebirth.proof.validation.pods import restarts, template
from rebirth.proof.validation.schedules import is_no_zone, unreadable
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    at_least,
    entries,
    has,
    inner,
    is_known,
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
    if made.get("manualSelector") is True:
        yield Refusal((*where, "manualSelector"), "may not be true in a CronJob")


def _job_spec(spec: Fields, path: Path) -> Iterator[Refusal]:
    limits = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    yield from at_least(spec, path, 0, *limits, "backoffLimitPerIndex", "maxFailedIndexes")
    yield from _indexed(spec, path)
    yield from one_of(spec, path, "podReplacementPolicy", "Failed", "TerminatingOrFailed")
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
    yield from one_of(spec, path, "completionMode", "NonIndexed", "Indexed")
    mode = text(spec, "completionMode")
    if mode == "Indexed":
        if spec.get("completions") is None and spec.get("parallelism") is not None:
            yield Refusal((*path, "completions"), "is missing beside `completionMode: Indexed`")
    elif is_known(spec.get("completionMode")):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if has(spec, field):
                yield Refusal((*path, field), "is there without `completionMode: Indexed`")
    if number(spec, "maxFailedIndexes") is not None and not has(spec, "backoffLimitPerIndex"):
        yield Refusal((*path, "backoffLimitPerIndex"), "is missing beside maxFailedIndexes")


def _failures(spec: Fields, path: Path) -> Iterator[Refusal]:
    policy = inner(spec, "podFailurePolicy")
    for index, rule in entries(policy, "rules"):
        where = (*path, "podFailurePolicy", "rules", index)
        yield from one_of(rule, where, "action", "FailJob", "FailIndex", "Ignore", "Count")
        given = [key for key in ("onExitCodes", "onPodConditions") if rule.get(key)]
        if len(given) != 1:
            said = "has both" if given else "has none of"
            yield Refusal(where, f"{said} onExitCodes and onPodConditions: one of them has to be there")
        codes = inner(rule, "onExitCodes")
        values = codes.get("values")
        if text(codes, "operator") == "In" and isinstance(values, list) and 0 in values:
            yield Refusal((*where, "onExitCodes", "values"), "has 0, which is no failure")
