#!/usr/bin/env python3
"""image.py OUT [--docker|--oci-archive] [--tag TAG] [--config JSON] [--pack gzip|zstd|none] LAYER...

Makes an image of folders (a busybox root: make_rootfs) and of layers named after a function below:
an OCI layout in the folder OUT, or an archive of one, or what `docker save` writes. Prints the image's ID.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile


def entry(name, kind=tarfile.REGTYPE, data=b"", mode=0o644, link="", uid=0, gid=0, pax=None, dev=(0, 0), mtime=1000000000):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.uid, info.gid, info.mtime = kind, mode, link, uid, gid, mtime
    info.devmajor, info.devminor = dev
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    info.pax_headers = pax or {}
    return info, data


def folder(name, **kw):
    kw.setdefault("mode", 0o755)
    return entry(name, tarfile.DIRTYPE, **kw)


def symlink(name, to):
    return entry(name, tarfile.SYMTYPE, link=to, mode=0o777)


def hard(name, to, **kw):
    return entry(name, tarfile.LNKTYPE, link=to, **kw)


CAPABILITY = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # cap_net_raw, not effective
LONG = "n" * 200 + "/" + "m" * 200

HOSTILE = {
    "dotdot": [entry("../escaped", data=b"x")],
    "dotdot-inside": [folder("a"), entry("a/../../escaped", data=b"x")],
    "absolute": [entry("/absolute", data=b"inside\n")],
    "link-then-through": [symlink("out", "/../../../../../../tmp"), entry("out/through", data=b"contained\n")],
    "link-to-parent": [symlink("up", ".."), entry("up/through", data=b"contained\n")],
    "link-loop": [symlink("one", "two"), symlink("two", "one"), entry("one/file", data=b"x")],
    "hard-link-out": [hard("passwd", "../../../../etc/passwd")],
    "hard-link-nowhere": [hard("here", "not/there")],
    "hard-link-self": [entry("self", data=b"1\n"), hard("self", "self")],
    "whiteout-of-dots": [entry(".wh...", data=b"")],
    "overlay-marks": [folder("marked", pax={"SCHILY.xattr.trusted.overlay.redirect": "/etc", "SCHILY.xattr.user.overlay.redirect": "/etc"}),
                      entry("marked/file", data=b"seen\n")],
    "device-zero": [entry("bin/sh", tarfile.CHRTYPE, dev=(0, 0))],
    "twice": [entry("twice", data=b"first\n"), entry("twice", data=b"second\n"), folder("kind"), entry("kind/inner", data=b"x"),
              entry("kind", data=b"file now\n"), entry("back", data=b"x"), folder("back"), entry("back/inner", data=b"folder now\n")],
    "deep": [folder("/".join(["d"] * 10000))],
    "long-name": [entry("x" * 300, data=b"x")],
    "nothing": [],
}

# What a layer may be, over the layer "lower"
FINE = {
    "lower": [folder("t"), entry("t/keep", data=b"keep\n"), entry("t/gone", data=b"x"), folder("t/gonedir"), entry("t/gonedir/x", data=b"x"),
              folder("t/opaque", mode=0o700), entry("t/opaque/old", data=b"x"), folder("t/todir2", uid=7), entry("t/file2dir", data=b"x"),
              folder("t/dir2file"), entry("t/dir2file/x", data=b"x"), entry("t/one", data=b"linked\n", mode=0o640, gid=5),
              folder("t/implied", mode=0o750, uid=1000, gid=1001), entry("t/implied/old", data=b"old\n"), folder("real"),
              symlink("alias", "real"), symlink("passwd-link", "/etc/passwd")],
    "upper": [entry("t/.wh.gone"), entry("t/.wh.gonedir"), entry("t/opaque/.wh..wh..opq"), entry("t/opaque/new", data=b"new\n"),
              folder("t/file2dir"), entry("t/file2dir/y", data=b"y\n"), entry("t/dir2file", data=b"file\n"), hard("t/two", "t/one"),
              entry("t/implied/new", data=b"new\n"), entry("alias/through", data=b"through\n"),
              entry("t/suid", mode=0o4755, data=b"s"), entry("t/own", uid=1000, gid=1001, mode=0o600, data=b"o"),
              entry("t/fifo", tarfile.FIFOTYPE), entry("t/null", tarfile.CHRTYPE, dev=(1, 3), mode=0o666),
              entry("t/caf\u00e9-\u65e5\u672c", data=b"utf8\n"), entry("t/" + LONG, data=b"long\n"),
              entry("t/cap", mode=0o755, data=b"cap\n", pax={"SCHILY.xattr.security.capability": CAPABILITY}),
              entry("t/noted", data=b"n", pax={"SCHILY.xattr.user.note": "hello"}), entry("t/old", mtime=86400, data=b"o")],
    "third": [entry("t/gone", data=b"back\n"), entry("t/.wh.keep")],
    "root-opaque": [entry(".wh..wh..opq"), folder("bin"), entry("left", data=b"left\n")],
}


def pack(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def pack_folder(path):
    out = io.BytesIO()

    def plain(info):
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = 1000000000
        return info

    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(path, arcname=".", filter=plain)
    return out.getvalue()


def layer(word):
    for known in (HOSTILE, FINE):
        if word in known:
            return pack(known[word])
    if word == "bomb":
        return None
    if word.startswith("many:"):  # "many:7": one file that says which layer it is
        return pack([entry("layer-" + word[5:], data=word[5:].encode())])
    if word.startswith("big:"):  # so many MiB that do not shrink
        return pack([entry("big", data=os.urandom(int(word[4:]) << 20))])
    return open(word, "rb").read() if word.endswith(".tar") else pack_folder(word)


def bomb():
    """A zstd stream of one file of 2 GiB, which is never held."""
    info, _ = entry("zeros")
    info.size = 2 << 30
    with subprocess.Popen(["zstd", "-q", "-1", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as z:
        os.set_blocking(z.stdout.fileno(), False)
        out, block = [], bytes(1 << 20)
        for piece in [info.tobuf()] + [block] * (2 << 10) + [bytes(1024)]:
            z.stdin.write(piece)
            out.append(z.stdout.read() or b"")
        z.stdin.close()
        os.set_blocking(z.stdout.fileno(), True)
        out.append(z.stdout.read())
    return b"".join(out), digest(b"")


def compress(data, how):
    if how == "gzip":
        return gzip.compress(data, 1, mtime=0)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def digest(data):
    return hashlib.sha256(data).hexdigest()


def put(root, data):
    name = digest(data)
    with open(os.path.join(root, "blobs/sha256", name), "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}


def save_oci(root, args, config, layers):
    os.makedirs(os.path.join(root, "blobs/sha256"), exist_ok=True)
    media = {"gzip": "+gzip", "zstd": "+zstd", "none": ""}[args.pack]
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": dict(put(root, config), mediaType="application/vnd.oci.image.config.v1+json"),
                "layers": [dict(put(root, blob), mediaType="application/vnd.oci.image.layer.v1.tar" + media) for blob, _ in layers]}
    top = dict(put(root, json.dumps(manifest).encode()), mediaType=manifest["mediaType"])
    if args.tag:
        top["annotations"] = {"org.opencontainers.image.ref.name": args.tag}
    with open(os.path.join(root, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [top]}, f)
    with open(os.path.join(root, "oci-layout"), "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)


def save_docker(out, args, config, layers):
    name = digest(config) + ".json"
    files, paths = [], []
    for blob, _ in layers:
        paths.append(digest(blob) + "/layer.tar")
        files.append(entry(paths[-1], data=blob))
    files.append(entry(name, data=config))
    manifest = [{"Config": name, "RepoTags": [args.tag] if args.tag else None, "Layers": paths}]
    files.append(entry("manifest.json", data=json.dumps(manifest).encode()))
    with open(out, "wb") as f:
        f.write(pack(files))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out")
    p.add_argument("layers", nargs="*")
    p.add_argument("--docker", action="store_true")
    p.add_argument("--oci-archive", action="store_true")
    p.add_argument("--tag")
    p.add_argument("--config", default="{}")
    p.add_argument("--pack", default="gzip")
    p.add_argument("--wrong-diff-id", action="store_true")
    args = p.parse_intermixed_args()
    layers = []
    for word in args.layers:
        plain = layer(word)
        layers.append(bomb() if plain is None else (plain if args.docker else compress(plain, args.pack), digest(plain)))
    ids = ["sha256:" + (digest(d.encode()) if args.wrong_diff_id else d) for _, d in layers]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    config = json.dumps({"architecture": machine, "os": "linux", "created": "2020-01-02T03:04:05Z", "config": json.loads(args.config),
                         "rootfs": {"type": "layers", "diff_ids": ids},
                         "history": [{"created": "2020-01-02T03:04:05Z", "created_by": "layer " + w[:40]} for w in args.layers]}).encode()
    if args.docker:
        save_docker(args.out, args, config, layers)
    elif args.oci_archive:
        save_oci(args.out + ".dir", args, config, layers)
        subprocess.run(["tar", "-C", args.out + ".dir", "-cf", args.out, "."], check=True)
    else:
        save_oci(args.out, args, config, layers)
    print("sha256:" + digest(config))


main()
