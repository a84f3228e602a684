"""Writes data/croissant/*.json: the data sets in the words of Croissant 1.0.

    croissant.py [FOLDER]

Titles, sources, licences and citations are those of data/datasets.toml. Croissant wants the
sha256 of each file as it is fetched, which datasets.toml has not: it is of what they hold.
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FETCHED = {
    "trainPart1.zip": "5e860cfdc4d0c0b22e8c3ef12f230dbf595064bc3a6420007645f13b6225079f",
    "mnistTask3.zip": "3c917cbf0c4e843921ec6828f7825aed5bcee49ce139d863a7207610b640b25e",
    # As the mirrors have them, and torchvision checks them.
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
LICENCES = {"CC BY-SA 3.0": "https://creativecommons.org/licenses/by-sa/3.0/"}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{name: f"cr:{name}" for name in """citeAs column equivalentProperty extract field fileProperty fileObject fileSet format
       includes isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace
       samplingRate separator source subField transform""".split()},
    "citeAs": "cr:citeAs",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}  # fmt: skip


def file_object(name, address):
    kept = Path(name).name
    return {
        "@type": "cr:FileObject",
        "@id": kept,
        "name": kept,
        "contentUrl": address,
        "encodingFormat": "application/zip" if kept.endswith(".zip") else "application/gzip",
        "sha256": FETCHED[kept],
    }


def images_of(archive, pattern, encoding, fields):
    """The images of an archive, and a record of each: its pixels, and what its path says."""
    images = {
        "@type": "cr:FileSet",
        "@id": "images",
        "name": "images",
        "containedIn": {"@id": archive},
        "encodingFormat": encoding,
        "includes": pattern,
    }

    def field(name, kind, extract, regex=None):
        source = {"fileSet": {"@id": "images"}, "extract": {"fileProperty": extract}}
        if regex:
            source["transform"] = {"regex": regex}
        return {"@type": "cr:Field", "@id": f"samples/{name}", "name": name, "dataType": kind, "source": source}

    fields = [field("image", "sc:ImageObject", "content"), *(field(*one) for one in fields)]
    return images, {"@type": "cr:RecordSet", "@id": "samples", "name": "samples", "field": fields}


def describe(name, entry):
    source = entry["sources"][0]
    distribution = [file_object(kept, address) for kept, address in source["files"].items()]
    records = []
    if name == "handwritten":
        # Sample011 to Sample036 are A to Z, Sample037 to Sample062 a to z.
        fields = [
            ("class", "sc:Integer", "fullpath", r".*Sample(\d+)/"),
            ("writer", "sc:Integer", "filename", r"img\d+-(\d+)\.png"),
        ]
        images, record = images_of("trainPart1.zip", "**/*.png", "image/png", fields)
    elif name == "mislabelled":
        fields = [("label", "sc:Integer", "fullpath", r".*/(\d)/[^/]*\.jpg")]
        images, record = images_of("mnistTask3.zip", "**/*.jpg", "image/jpeg", fields)
    if name != "mnist":  # IDX is no format that Croissant can take apart.
        distribution.append(images)
        records.append(record)
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": f"{entry['title']}. sha256 of the content, as data/README.md defines it: {', '.join(entry['sha256'])}.",
        "url": entry["homepage"],
        "license": next((LICENCES[known] for known in LICENCES if known in entry["licence"]), entry["licence"]),
        "citeAs": entry["citation"],
        "distribution": distribution,
        "recordSet": records,
    }


def main(folder=ROOT / "data/croissant"):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, entry in tomllib.loads((ROOT / "data/datasets.toml").read_text()).items():
        text = json.dumps(describe(name, entry), indent=1, ensure_ascii=False) + "\n"
        (Path(folder) / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
