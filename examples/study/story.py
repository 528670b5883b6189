"""The study as a story: every step is a call of the service, every figure its answer."""

from collections.abc import Callable

from persona_client import PersonaClient
from study import afterwards, library, panel, reuse
from study.questions import all_items
from study.report import Report
from study.respondents import all_respondents
from study.stage import Study


def tell(
    client: PersonaClient,
    print_line: Callable[[str], None],
    before_deletion: Callable[[], None] = lambda: None,
) -> Study:
    """Run the study on a service and tell it. Raises NotAsTold, PersonaError.

    `before_deletion` is called while all is there that the last chapter deletes.
    """
    items = all_items()
    respondents = {r.persona.full_name: r for r in all_respondents(items)}
    study = Study(client, Report(print_line), items, respondents)
    panel.record_four_waves(study)
    panel.measure_everybody(study)
    library.promote_the_reliable(study)
    library.show_the_refused(study)
    reuse.match_and_reuse(study)
    reuse.follow_over_five_waves(study)
    before_deletion()
    afterwards.delete_everything(study)
    afterwards.read_what_stays(study)
    return study
