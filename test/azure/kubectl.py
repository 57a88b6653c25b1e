"""A stand-in for `kubectl` in tests without a cluster. Stores applied objects, and answers the queries of the scripts.

Environment variables:
KUBECTL_STATE: file in which the objects are stored.
KUBECTL_FAIL: regular expression. Calls whose arguments match the expression fail.
"""
import fcntl
import json
import os
import re
import sys

arguments = sys.argv[1:]
# Stdin is read before the lock is taken. In a pipe of two kubectl processes, the second process waits for the output of
# the first process. If the second process held the lock meanwhile, both processes would wait forever.
body = sys.stdin.read() if "/dev/stdin" in " ".join(arguments) or "-" in arguments else ""
log = open(os.environ["KUBECTL_STATE"], "a+")
fcntl.flock(log, fcntl.LOCK_EX)
log.seek(0)
objects = json.loads(log.read() or "{}")


def save():
    log.seek(0)
    log.truncate()
    log.write(json.dumps(objects, sort_keys=True))


words = [word for word in arguments if not word.startswith("-")]
text = " ".join(arguments)
if os.environ.get("KUBECTL_FAIL") and re.search(os.environ["KUBECTL_FAIL"], text):
    sys.exit("Error from server (Forbidden): forbidden")
if "create secret" in text:
    name = re.search(r"secret generic (\S+)", text)[1]
    print(json.dumps({"kind": "Secret", "metadata": {"name": name}, "length": len(body)}))
elif "apply" in words:
    source = arguments[arguments.index("-f") + 1]
    body = body if source == "-" else source
    kind = re.search(r'"?kind"?: "?(\w+)', body)
    name = re.search(r'"?name"?: "?([\w.-]+)', body)
    key = f"{kind[1]}/{name[1]}" if kind and name else source
    print(key, "unchanged" if objects.get(key) == body else "serverside-applied")
    objects[key] = body
    save()
elif "get" in words and "crd" in words:
    if any(key.startswith("http") for key in objects):
        for kind in ("gitrepositories.source", "kustomizations.kustomize"):
            print(f"customresourcedefinition.apiextensions.k8s.io/{kind}.toolkit.fluxcd.io")
elif "get" in words and "secret" in words and "--show-managed-fields" in text:
    # In the tests, a stored Secret whose text begins with `foreign` was created by another program.
    name = words[words.index("secret") + 1]
    secret = objects.get(f"Secret/{name}")
    print("" if secret is None else "another" if secret.startswith("foreign") else "meshops", end="")
elif "get" in words and "secret" in words:
    if "Secret/flux-system" in objects:
        print("secret/flux-system")
elif "get" in words and "deployment" in words:
    installed = [key.split("/")[-2] for key in objects if key.startswith("http")]
    print(max(installed, default=""), end="")
elif "get" in words and "gitrepository" in words and "spec.url" in text:
    body = objects.get("GitRepository/flux-system", "")
    if body:
        print(*re.search(r"url: (\S+)", body).groups(), end="")
elif "get" in words and "spec.path" in text:
    if "Kustomization/flux-system" in objects:
        print(*re.search(r"path: (\S+)", objects["Kustomization/flux-system"]).groups(), end="")
elif "get" in words and "lastAppliedRevision" in text:
    print("main@sha1:0000", end="")
