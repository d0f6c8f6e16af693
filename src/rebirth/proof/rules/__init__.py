"""Ways in which a bootstrap can be impossible, one file per rule. A cycle is reported by the first rule that knows it."""

import itertools
from collections.abc import Callable, Iterable, Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.r01_kind_before_its_crd import r01_kind_before_its_crd
from rebirth.proof.rules.r02_own_output import r02_own_output
from rebirth.proof.rules.r03_cycle import r03_cycle
from rebirth.proof.rules.r04_webhook_before_server import r04_webhook_before_server
from rebirth.proof.rules.r05_network_needs_pods import r05_network_needs_pods
from rebirth.proof.rules.r06_name_in_certificate import r06_name_in_certificate
from rebirth.proof.rules.r07_two_owners import r07_two_owners
from rebirth.proof.rules.r08_host_needs import r08_host_needs
from rebirth.proof.rules.r09_taint import r09_taint
from rebirth.proof.rules.r10_cold_restart import r10_cold_restart
from rebirth.proof.rules.r11_hook_after_wait import r11_hook_after_wait
from rebirth.proof.rules.r12_waits_for_itself import r12_waits_for_itself
from rebirth.proof.rules.r13_depends_on import r13_depends_on
from rebirth.proof.rules.r14_no_producer import r14_no_producer
from rebirth.proof.rules.r15_gate_too_early import r15_gate_too_early
from rebirth.proof.rules.r16_undeclared_order import r16_undeclared_order
from rebirth.proof.rules.r17_gives_up_too_early import r17_gives_up_too_early
from rebirth.proof.rules.r18_cost_of_a_chain import r18_cost_of_a_chain
from rebirth.proof.rules.r19_earlier_cluster import r19_earlier_cluster
from rebirth.proof.rules.r21_gate_never_true import r21_gate_never_true
from rebirth.proof.rules.r22_out_of_reach import r22_out_of_reach
from rebirth.proof.rules.r23_generated_elsewhere import r23_generated_elsewhere
from rebirth.proof.rules.r25_name_before_zone import r25_name_before_zone
from rebirth.proof.rules.r26_api_address import r26_api_address
from rebirth.proof.rules.r27_mirror_inside import r27_mirror_inside
from rebirth.proof.rules.r28_name_not_freed import r28_name_not_freed
from rebirth.proof.rules.r29_outside_quota import r29_outside_quota
from rebirth.proof.rules.r30_little_read import r30_little_read
from rebirth.proof.rules.r37_empty_database import r37_empty_database
from rebirth.proof.rules.r38_cluster_dns import r38_cluster_dns
from rebirth.proof.rules.r39_git_credential import r39_git_credential
from rebirth.proof.rules.r40_build import r40_build
from rebirth.proof.rules.r41_unlisted_file import r41_unlisted_file
from rebirth.proof.rules.r42_yaml_traps import r42_yaml_traps
from rebirth.proof.rules.r43_variables import r43_variables
from rebirth.proof.rules.r44_dangling_reference import r44_dangling_reference
from rebirth.proof.rules.r45_immutable_job import r45_immutable_job
from rebirth.proof.rules.r46_no_namespace import r46_no_namespace
from rebirth.proof.rules.r47_encrypted import r47_encrypted
from rebirth.proof.rules.r48_unknown_field import r48_unknown_field
from rebirth.proof.rules.r49_refused import r49_refused
from rebirth.proof.rules.r50_key_not_made import r50_key_not_made
from rebirth.proof.rules.r51_certificate_host import r51_certificate_host
from rebirth.proof.rules.r52_no_property import r52_no_property
from rebirth.proof.rules.r53_empty_value import r53_empty_value
from rebirth.proof.rules.r54_namespace_later import r54_namespace_later
from rebirth.proof.rules.r55_pod_security import r55_pod_security
from rebirth.proof.rules.r56_shared_address import r56_shared_address
from rebirth.proof.rules.r57_job_gives_up import r57_job_gives_up
from rebirth.proof.rules.r58_release_name import r58_release_name
from rebirth.proof.rules.r59_too_large import r59_too_large
from rebirth.proof.rules.r60_corefile import r60_corefile
from rebirth.proof.rules.r61_forward import r61_forward
from rebirth.proof.rules.r62_shared_address_on_worker import r62_shared_address_on_worker
from rebirth.proof.rules.r63_pool_overlaps import r63_pool_overlaps
from rebirth.proof.rules.r64_key_not_reusable import r64_key_not_reusable
from rebirth.proof.rules.r66_certificate import r66_certificate
from rebirth.proof.rules.r69_awaited import r69_awaited
from rebirth.proof.rules.r70_api_address_of_nobody import r70_api_address_of_nobody
from rebirth.proof.rules.r71_flux_program import r71_flux_program
from rebirth.proof.rules.r72_no_address import r72_no_address
from rebirth.proof.rules.r75_control_planes_only import r75_control_planes_only
from rebirth.proof.rules.r76_nobody_announces import r76_nobody_announces
from rebirth.proof.rules.r81_leads_nowhere import r81_leads_nowhere
from rebirth.proof.rules.r82_container import r82_container
from rebirth.proof.rules.r83_version_not_served import r83_version_not_served
from rebirth.proof.rules.r84_tried_once import r84_tried_once
from rebirth.proof.rules.r85_not_allowed import r85_not_allowed
from rebirth.proof.rules.r86_machine_operations import r86_machine_operations
from rebirth.proof.rules.r87_template_fails import r87_template_fails
from rebirth.proof.rules.r88_not_granted import r88_not_granted
from rebirth.proof.rules.r93_own_archive import r93_own_archive
from rebirth.proof.rules.r94_identities_on_storage import r94_identities_on_storage
from rebirth.proof.rules.r95_fetched_from_inside import r95_fetched_from_inside
from rebirth.proof.rules.r96_volume_of_one import r96_volume_of_one
from rebirth.proof.rules.r97_asked_too_late import r97_asked_too_late
from rebirth.proof.rules.r98_nobody_unseals import r98_nobody_unseals
from rebirth.proof.rules.r99_unlike_volume import r99_unlike_volume

Rule = Callable[[Graph], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    r95_fetched_from_inside,
    r13_depends_on,
    r39_git_credential,
    r27_mirror_inside,
    r26_api_address,
    r05_network_needs_pods,
    r09_taint,
    r25_name_before_zone,
    r38_cluster_dns,
    r40_build,
    r41_unlisted_file,
    r42_yaml_traps,
    r43_variables,
    r44_dangling_reference,
    r45_immutable_job,
    r46_no_namespace,
    r47_encrypted,
    r48_unknown_field,
    r49_refused,
    r60_corefile,
    r61_forward,
    r06_name_in_certificate,
    r08_host_needs,
    r28_name_not_freed,
    r29_outside_quota,
    r30_little_read,
    r62_shared_address_on_worker,
    r63_pool_overlaps,
    r64_key_not_reusable,
    r66_certificate,
    r69_awaited,
    r70_api_address_of_nobody,
    r71_flux_program,
    r75_control_planes_only,
    r76_nobody_announces,
    r99_unlike_volume,
    r02_own_output,
    r11_hook_after_wait,
    r12_waits_for_itself,
    r04_webhook_before_server,
    r01_kind_before_its_crd,
    r10_cold_restart,
    r94_identities_on_storage,
    r15_gate_too_early,
    r17_gives_up_too_early,
    r18_cost_of_a_chain,
    r21_gate_never_true,
    r07_two_owners,
    r14_no_producer,
    r16_undeclared_order,
    r19_earlier_cluster,
    r23_generated_elsewhere,
    r37_empty_database,
    r50_key_not_made,
    r51_certificate_host,
    r52_no_property,
    r53_empty_value,
    r54_namespace_later,
    r55_pod_security,
    r56_shared_address,
    r57_job_gives_up,
    r58_release_name,
    r59_too_large,
    r81_leads_nowhere,
    r82_container,
    r72_no_address,
    r86_machine_operations,
    r87_template_fails,
    r88_not_granted,
    r93_own_archive,
    r96_volume_of_one,
    r97_asked_too_late,
    r98_nobody_unseals,
    r83_version_not_served,
    r84_tried_once,
    r85_not_allowed,
    r03_cycle,  # cycles that no other rule has a name for
    r22_out_of_reach,  # last: only what no other tells
)

_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def judge(graph: Graph) -> list[Finding]:
    """What the rules find, the gravest first; the same thing is reported once."""
    found: list[Finding] = []
    told: set[tuple[str, ...]] = set()
    for rule in RULES:
        # The net below all others: what an error names is told.
        known = _named(found) if rule is r22_out_of_reach else set()
        for finding in rule(graph):
            if finding.key not in told and not (known and finding.chain[-1].needs.label in known):
                told |= finding.keys
                found.append(finding)
    return _sorted(found)


def _named(findings: Iterable[Finding]) -> set[str]:
    """Labels of all that findings which are no mere hints speak of."""
    return {
        thing.label
        for finding in findings
        if finding.severity is not Severity.INFO
        for edge in finding.chain
        for thing in (edge.by, edge.needs)
    }


def merged(findings: Iterable[Iterable[Finding]]) -> list[Finding]:
    """The findings of several clusters as one list; what is found in several is reported once."""
    found: dict[tuple[str, ...], Finding] = {}
    for finding in itertools.chain.from_iterable(findings):
        found.setdefault(finding.key, finding)
    return _sorted(found.values())


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        findings,
        key=lambda f: (_WEIGHT[f.severity], f.rule, f.place.file, f.place.line, str(f.place.path), f.message),
    )


__all__ = ["RULES", "Finding", "Rule", "Severity", "judge", "merged"]
