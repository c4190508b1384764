"""The check at the head of 00_start_here names what is wrong and never raises."""

from importlib import metadata

from hedgelib import environment


def missing(_):
    raise metadata.PackageNotFoundError


def test_complete_environment_has_no_problem():
    assert environment.problems() == ()


def test_missing_package_is_named_with_its_remedy():
    found = environment.problems(version=missing, requires=lambda _: ["pandas>=2.2"])
    assert found == (f"pandas is missing, the notebooks need it: {environment.SET_UP_AGAIN}.",)


def test_old_package_is_named_with_both_versions():
    found = environment.problems(version=lambda _: "1.5.3", requires=lambda _: ["pandas>=2.2"])
    assert len(found) == 1 and "pandas 1.5.3 is installed, >=2.2 is needed" in found[0]


def test_lab_is_needed_but_the_site_and_test_tools_are_not():
    requires = ['jupyterlab>=4; extra == "lab"', 'sphinx>=8; extra == "site"']
    found = environment.problems(version=missing, requires=lambda _: requires)
    assert [text.split()[0] for text in found] == ["jupyterlab"]


def test_what_only_real_prices_need_is_told_as_such():
    requires = [
        'ccxt>=4.4; extra == "histories"',
        'tqdm>=4; extra == "site"',
        'tqdm>=4; extra == "histories"',
    ]
    found = environment.problems(version=missing, requires=lambda _: requires)
    assert [text.split(": ")[0] for text in found] == [
        f"{name} is missing, only market.read_csv, market.download and market.history need it"
        for name in ("ccxt", "tqdm")
    ]


def test_report_prints_each_problem_on_a_line(monkeypatch, capsys):
    monkeypatch.setattr(environment, "problems", lambda: ("one.", "two."))
    environment.report()
    assert capsys.readouterr().out == "one.\ntwo.\n"
