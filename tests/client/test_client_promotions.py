"""Several individuals are taken into the library by the Python client, named or group by group."""

from client.conftest import Place
from client.standin import UNAVAILABLE, Standin

from persona.v1 import library_service_pb2 as pb
from persona_client import PersonaClient, Promotion, PromotionOutcome
from support.data import Place as Group
from support.data import uid
from support.library import answer_reliably


def test_named_ones_have_an_outcome_each(client: PersonaClient, place: Place, group: Group) -> None:
    one, other = [each.id for each in group.fill(2)]
    answer_reliably(group, one)
    tried, _ = client.promote_personas(*place, [one, other], validate_only=True)
    assert tried.outcome == PromotionOutcome.PROMOTION_OUTCOME_PROMOTED
    key = uid()
    first = client.promote_personas(*place, [one, other], request_id=key)
    assert client.promote_personas(*place, [one, other], request_id=key) == first
    assert [each.persona_id for each in first] == [one, other]
    assert client.get_library_persona(first[0].library_persona_id.value).origin_persona_id == one
    assert first[1].outcome == PromotionOutcome.PROMOTION_OUTCOME_INSUFFICIENT_DATA
    assert client.promote_personas(*place, []) == []


def test_a_group_is_walked_to_its_end(client: PersonaClient, place: Place, group: Group) -> None:
    people = [each.id for each in group.fill(101)]
    answer_reliably(group, people[100])
    tried = list(client.promote_group(*place, validate_only=True))
    assert [each.persona_id for each in tried] == people
    found = list(client.promote_group(*place))
    assert [each.outcome for each in found] == [each.outcome for each in tried]
    assert found[100].outcome == PromotionOutcome.PROMOTION_OUTCOME_PROMOTED
    assert found[100].library_persona_id.value
    assert not tried[100].library_persona_id.value


def test_each_page_is_tried_again_under_its_own_request_id(
    failing: PersonaClient, standin: Standin
) -> None:
    pages = [
        pb.PromotePersonasResponse(promotions=[Promotion(persona_id="1")], next_page_token="t"),
        pb.PromotePersonasResponse(promotions=[Promotion(persona_id="2")]),
    ]
    standin.answers["PromotePersonas"].extend([UNAVAILABLE, pages[0], UNAVAILABLE, pages[1]])
    assert [one.persona_id for one in failing.promote_group("p", "g")] == ["1", "2"]
    sent = standin.requests["PromotePersonas"]
    assert (sent[0], sent[2]) == (sent[1], sent[3])
    assert [request.page_token for request in sent] == ["", "", "t", "t"]
    assert sent[0].request_id != sent[2].request_id
