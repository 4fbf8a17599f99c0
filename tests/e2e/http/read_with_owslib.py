"""Reads the layer `town` of the server at the URL given with OWSLib and prints what it was given, as JSON."""

import json
import sys

from owslib.ogcapi.features import Features

api = Features(sys.argv[1])
page = api.collection_items("town", limit=4)
print(
    json.dumps(
        {
            "openapi": api.api()["openapi"],
            "conformance": api.conformance()["conformsTo"],
            "collections": api.feature_collections(),
            "collection": api.collection("town"),
            "queryables": api.collection_queryables("town"),
            "page": page,
            "next": api.collection_items("town", limit=4, offset=4),
            "within": api.collection_items("town", bbox=[2.30, 48.85, 2.31, 48.87]),
            "filtered": api.collection_items("town", filter="turnout > 0.6", sortby=("turnout", "desc")),
            "item": api.collection_item("town", str(page["features"][0]["id"])),
        }
    )
)
