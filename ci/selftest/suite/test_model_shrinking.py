"""A failing walk becomes short within its budget."""

from vdi_conformance.walks.shrinking import shrink


def test_what_is_not_needed_is_left_out() -> None:
    found = shrink(list(range(50)), lambda one: {7, 31} <= set(one), tries=100)
    assert found == [7, 31]


def test_groups_are_left_out_together() -> None:
    tried: list[list[int]] = []

    def fails(candidate: list[int]) -> bool:
        tried.append(candidate)
        return 3 in candidate

    found = shrink(list(range(40)), fails, tries=10, groups=[lambda one: one % 4])
    assert tried[0] == [one for one in range(40) if one % 4]
    assert all(one % 4 == 3 for one in found)


def test_the_budget_is_kept() -> None:
    tried: list[list[int]] = []

    def fails(candidate: list[int]) -> bool:
        tried.append(candidate)
        return True

    shrink(list(range(1000)), fails, tries=5)
    assert len(tried) == 5


def test_what_needs_everything_stays() -> None:
    whole = list(range(9))
    assert shrink(whole, lambda one: len(one) == len(whole), tries=100) == whole
