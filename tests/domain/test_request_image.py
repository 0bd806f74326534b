"""The first frame: the name of an upload, or an address; where that may lead is judged when it is fetched."""

import pytest

from tests.domain.refusals import refused_params
from tests.factories import a_request

LONGEST = "https://example.com/" + "x" * (2048 - len("https://example.com/"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "https://example.com",
        "HTTPS://EXAMPLE.COM/A.PNG",
        "https://cdn.example.com:443/a.png?size=1&v=2#top",
        "https://xn--fchse-kva.example/bild.jpg",
        "https://füchse.example/bild.jpg",
        "https://1.example.com/a.png",
        "http://127.0.0.1:8700/a.png",
        "https://[2606:4700::1111]/a.png",
        LONGEST,
    ],
)
def test_the_url_of_a_file_is_taken(url: str) -> None:
    assert a_request(params={"image_url": url}).params.image_url == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "fox.png",
            "/fox.png",
            "//example.com/a.png",
            "example.com/a.png",
            "https://",
            "https:///a.png",
        ),
        *("ftp://example.com/a.png", "data:image/png;base64,AAAA", "file:///etc", "javascript:alert(1)"),
        *(
            "https://me:secret@example.com/a.png",
            "https://me@example.com/a.png",
            "https://@example.com/a.png",
        ),
        *("https://example.com:99999/a.png", "https://example.com:x/a"),
        *("https://[example.com/a.png", "https://exam\x00ple.com/a.png", "https://example.com/\x1b[2J"),
        *(
            "https://example.com/a b.png",
            "https://exa mple.com/a.png",
            "https://exa\nmple.com/a",
            " https://a.b",
        ),
        *(LONGEST + "x", 5, True, ["https://example.com/a.png"]),
    ],
)
def test_any_other_address_is_refused(url: object) -> None:
    assert refused_params(image_url=url) == {"params.image_url"}


@pytest.mark.parametrize("image_id", ["i", "img_01jdb2v8gqkx3n5m7p9rstvwyz", "i" * 64])
def test_an_upload_is_named_as_it_was_called(image_id: str) -> None:
    assert a_request(params={"image_id": image_id}).params.image_id == image_id


@pytest.mark.parametrize("image_id", ["", "i" * 65, "img\x00", "img\ud83d", 5, True, ["img"]])
def test_any_other_name_of_an_upload_is_refused(image_id: object) -> None:
    assert refused_params(image_id=image_id) == {"params.image_id"}
