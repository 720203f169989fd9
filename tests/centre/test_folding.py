"""Searching Vietnamese as people type it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.centre.folding import fold, has_marks, matches


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("hoa", "Nhà văn hóa", True),
        ("hoá", "Nhà văn hóa", True),
        ("hóa", "Nhà văn hoá", True),
        ("hòa", "Nhà văn hóa", False),
        ("dong", "Thôn Đông", True),
        ("đông", "Thôn Đông", True),
        ("dông", "Thôn Đông", False),
        ("NGÃ TƯ", "Ngã tư trung tâm", True),
        ("nga  tu", "Ngã tư trung tâm", True),
        ("ngả tư", "Ngã tư trung tâm", False),
        ("thuy", "Thuỷ lợi", True),
        ("thủy", "Thuỷ lợi", True),
    ],
)
def test_marks_count_where_they_are_typed(wanted: str, text: str, found: bool) -> None:
    assert matches(wanted, text) is found


@given(st.text())
def test_folding_again_changes_nothing_and_forms_of_unicode_do_not_matter(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.sampled_from(["Cổng chợ", "Điếm canh đê", "Ngã ba Trại", "Thôn Thượng"]))
def test_a_text_is_found_by_itself_and_without_its_marks(text: str) -> None:
    assert matches(text, text)
    assert matches(fold(text), text)
    assert has_marks(text)
    assert not has_marks(fold(text))
