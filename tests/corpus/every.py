"""All trees of the corpus."""

from corpus import (
    alarms,
    byhand,
    found,
    inside,
    meant,
    named,
    operated,
    order,
    refused,
    rejected,
    silence,
    strangers,
    sure,
    values,
    versions,
    written,
)

CASES = [
    *silence.CASES,
    *order.CASES,
    *inside.CASES,
    *alarms.CASES,
    *written.CASES,
    *versions.CASES,
    *found.CASES,
    *meant.CASES,
    *strangers.CASES,
    *rejected.CASES,
    *sure.CASES,
    *named.CASES,
    *values.CASES,
    *operated.CASES,
    *refused.CASES,
    *byhand.CASES,
]
