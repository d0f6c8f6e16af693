"""All trees of the corpus."""

from corpus import alarms, inside, order, silence

CASES = [*silence.CASES, *order.CASES, *inside.CASES, *alarms.CASES]
