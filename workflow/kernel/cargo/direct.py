"""Filters `cargo metadata`: the workspace's packages and their direct dependencies."""

import json
import sys

metadata = json.load(sys.stdin)
members = set(metadata["workspace_members"])
if metadata.get("resolve"):
    nodes = metadata["resolve"]["nodes"]
    kept = members.union(*(node["dependencies"] for node in nodes if node["id"] in members))
    metadata["packages"] = [p for p in metadata["packages"] if p["id"] in kept]
    metadata["resolve"]["nodes"] = [node for node in nodes if node["id"] in kept]
    for node in metadata["resolve"]["nodes"]:
        node["dependencies"] = [d for d in node["dependencies"] if d in kept]
        node["deps"] = [d for d in node["deps"] if d["pkg"] in kept]
json.dump(metadata, sys.stdout)
