"""The networks that tests share: a fixed table, and random ones for hypothesis."""

from tests.builder import Builder, Case
from tests.named_networks import named_network, named_networks
from tests.random_networks import ENDS, STEPS, Budget, random_networks

__all__ = [
    "ENDS",
    "STEPS",
    "Budget",
    "Builder",
    "Case",
    "named_network",
    "named_networks",
    "random_networks",
]
