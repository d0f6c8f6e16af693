"""All trees of the corpus."""

from corpus import alarms, inside, order, silence, versions, written

CASES = [*silence.CASES, *order.CASES, *inside.CASES, *alarms.CASES, *written.CASES, *versions.CASES]
