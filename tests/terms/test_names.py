"""Names are matched as people type them."""

from hypothesis import given
from hypothesis import strategies as st

from xomyen.terms.names import fold_name, match_name, tidy_name

NAMES = [("1", "Cổng chợ"), ("2", "Cổng chợ sau"), ("3", "Đường đồng"), ("4", "Ngã ba Đông"), ("5", "Ngã ba Tây")]


def test_case_tone_marks_and_spaces_do_not_matter() -> None:
    assert fold_name("  ĐƯỜNG   Đồng ") == fold_name("duong dong") == "duong dong"
    assert fold_name("hoá") == fold_name("hóa")


def test_a_name_an_id_or_a_unique_beginning_is_one_camera() -> None:
    assert match_name("Cổng chợ", NAMES) == ["1"]
    assert match_name("cong cho", NAMES) == ["1"]
    assert match_name("cong cho s", NAMES) == ["2"]
    assert match_name("duong", NAMES) == ["3"]
    assert match_name("5", NAMES) == ["5"]


def test_an_ambiguous_beginning_is_all_it_may_mean_and_nothing_is_nothing() -> None:
    assert match_name("nga ba", NAMES) == ["4", "5"]
    assert match_name("chùa", NAMES) == match_name("", NAMES) == match_name("   ", NAMES) == []


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold_name(tidy_name(name)) == fold_name(name)
    assert tidy_name(tidy_name(name)) == tidy_name(name)
