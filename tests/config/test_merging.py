"""Files of ``conf.d``, and settings of the command line."""

from pathlib import Path

import pytest

from beats_signer.config import load
from beats_signer.errors import UsageError
from tests.config.files import BASE, drop_in, refusal, write


class TestDropIn:
    def test_sections_are_merged_key_by_key(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", "sealing.linger_seconds: 0.5\n")

        config = load(write(tmp_path, BASE + "sealing: {max_entries: 7}\n"))

        assert config.sealing.max_entries == 7
        assert config.sealing.linger_seconds == 0.5

    def test_the_last_name_counts(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "20-b.yml", "drain_seconds: 2\n")
        drop_in(tmp_path, "10-a.yml", "drain_seconds: 1\n")

        config = load(write(tmp_path, BASE + "drain_seconds: 0\n"))

        assert config.drain_seconds == 2

    def test_a_list_of_sections_is_continued(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", "listeners: [{address: '127.0.0.1:2'}]\n")
        drop_in(tmp_path, "b.yml", "listeners: [{address: '127.0.0.1:3'}]\n")

        config = load(write(tmp_path, BASE))

        assert [one.address.port for one in config.listeners] == [5044, 2, 3]

    def test_a_list_of_values_is_replaced(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", "elasticsearch.hosts: ['https://b']\n")

        config = load(write(tmp_path, BASE + "elasticsearch.hosts: ['https://a']\n"))

        assert config.elasticsearch is not None
        assert config.elasticsearch.hosts == ("https://b",)

    def test_a_section_can_be_taken_away(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", "elasticsearch: null\n")

        config = load(write(tmp_path, BASE + "elasticsearch.hosts: ['https://a']\n"))

        assert config.elasticsearch is None

    def test_the_main_file_may_leave_all_to_them(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", BASE)

        assert load(write(tmp_path, "# see conf.d\n")).signer == "audit-1"

    def test_paths_are_relative_to_the_main_file(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", "state: keys\n")

        assert load(write(tmp_path, BASE)).state == tmp_path / "keys"

    @pytest.mark.parametrize("name", ["a.yml.bak", "a.yaml~", ".a.yml", "README"])
    def test_other_files_are_left_alone(self, tmp_path: Path, name: str) -> None:
        drop_in(tmp_path, name, "no: [such\n")

        assert load(write(tmp_path, BASE)).signer == "audit-1"

    def test_a_folder_that_cannot_be_read_is_not_passed_over(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "conf.d").write_text("")

        error = refusal(tmp_path, BASE)

        assert str(error) == "cannot read the folder conf.d: Not a directory"
        assert "take it away" in error.hint

    def test_a_file_of_comments_changes_nothing(self, tmp_path: Path) -> None:
        drop_in(tmp_path, "a.yml", "# drain_seconds: 1\n")

        assert load(write(tmp_path, BASE)).drain_seconds == 25

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("\nsealing.max_entrys: 7\n", "there is no setting sealing.max_entrys"),
            ("\nsealing.max_entries: 0\n", "sealing.max_entries is 0"),
            ("\nlisteners: [{address: 1}]\n", "listeners[1].address is 1"),
            ("\nstate: ${MISSING}\n", "state: the variable MISSING is not set"),
            ("\nstate: [\n", "expected the node content"),
            ("\n- state\n", "the file holds no settings"),
        ],
        ids=["unknown", "bounds", "item", "variable", "YAML", "no mapping"],
    )
    def test_errors_name_the_file_they_mean(
        self, tmp_path: Path, text: str, message: str
    ) -> None:
        drop_in(tmp_path, "a.yml", text)

        error = str(refusal(tmp_path, BASE))

        place, _, what = error.partition(": ")
        assert place in ("conf.d/a.yml:2", "conf.d/a.yml:3")
        assert what.startswith(message)


class TestCommandLine:
    @pytest.mark.parametrize(
        ("override", "port"),
        [
            ("listeners.0.address=127.0.0.1:9", 9),
            ("listeners[0].address=127.0.0.1:9", 9),
            ("listeners.0={address: '127.0.0.1:9'}", 9),
            ("listeners=[{address: '127.0.0.1:9'}]", 9),
        ],
    )
    def test_an_item_of_a_list_can_be_set(
        self, tmp_path: Path, override: str, port: int
    ) -> None:
        config = load(write(tmp_path, BASE), [override])

        assert [one.address.port for one in config.listeners] == [port]

    def test_an_item_can_be_added(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, BASE), ["listeners.1.address=127.0.0.1:9"])

        assert [one.address.port for one in config.listeners] == [5044, 9]

    def test_a_list_that_is_not_there_can_be_begun(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, BASE), ["routing.rules.0.stream=web"])

        assert config.routing.rules[0].stream == "web"

    def test_a_value_is_yaml_and_a_section_is_merged(self, tmp_path: Path) -> None:
        path = write(tmp_path, BASE + "sealing.max_entries: 7\n")

        config = load(path, ["sealing={linger_seconds: 0.5}", "retention_days="])

        assert config.sealing.max_entries == 7
        assert config.sealing.linger_seconds == 0.5

    def test_the_last_one_counts_and_all_count_before_files(
        self, tmp_path: Path
    ) -> None:
        drop_in(tmp_path, "a.yml", "drain_seconds: 1\n")

        config = load(write(tmp_path, BASE), ["drain_seconds=2", "drain_seconds=3"])

        assert config.drain_seconds == 3

    def test_a_list_is_the_whole_list(self, tmp_path: Path) -> None:
        path = write(tmp_path, BASE + "routing.rules: [{stream: a}]\n")

        config = load(path, ["routing={rules: [{stream: b}]}"])

        assert [rule.stream for rule in config.routing.rules] == ["b"]

    def test_a_value_of_the_user_may_have_dots_in_its_key(self, tmp_path: Path) -> None:
        path = write(tmp_path, BASE + "routing.rules: [{stream: a}]\n")

        config = load(path, ["routing.rules.0.when.fields.event.module=[nginx]"])

        assert config.routing.rules[0].when.fields == {"event.module": ("nginx",)}

    def test_variables_are_expanded_in_it(self, tmp_path: Path) -> None:
        config = load(
            write(tmp_path, BASE), ["state=${HERE}"], environment={"HERE": "/x"}
        )

        assert config.state == Path("/x")

    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("sealing.max_entrys=7", "-E: there is no setting sealing.max_entrys"),
            ("sealing.max_entries=x", '-E: sealing.max_entries is "x"'),
            ("listeners.2.address=a:1", "-E: there is no item 2 in listeners"),
            ("listeners.address=a:1", "-E: there is no item address in listeners"),
            ("listeners.²=x", "-E: there is no item ² in listeners"),
            ("state=[", "-E: expected the node content"),
            ("state=${MISSING}", "-E: state: the variable MISSING is not set"),
        ],
    )
    def test_what_does_not_fit_is_explained(
        self, tmp_path: Path, override: str, message: str
    ) -> None:
        assert str(refusal(tmp_path, BASE, [override])).startswith(message)

    @pytest.mark.parametrize("override", ["state", "=x", "a..b=1", ".a=1", ""])
    def test_what_is_no_setting_and_value_is_refused(
        self, tmp_path: Path, override: str
    ) -> None:
        with pytest.raises(UsageError, match="not a setting and its value") as caught:
            load(write(tmp_path, BASE), [override])

        assert "-E sealing.max_entries=8192" in caught.value.hint
