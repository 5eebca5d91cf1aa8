"""Tokens by PyJWT, another implementation than the worker's.

Usage: tokens.py make FOLDER           writes jwks.json and secret, prints {"name": "token", ...}
       tokens.py read JWKS_FILE TOKEN  prints the verified claims; fails where the signature is wrong
"""

import json
import pathlib
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode, to_base64url_uint

SECRET = b"python's secret, of more than thirty-two bytes"


def number(value, length=None):
    data = to_base64url_uint(value) if length is None else base64url_encode(value.to_bytes(length, "big"))
    return data.decode()


def jwk(kid, public):
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e)}
    if isinstance(public, ec.EllipticCurvePublicKey):
        numbers = public.public_numbers()
        return {"kty": "EC", "crv": "P-256", "kid": kid, "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url_encode(raw).decode()}


def make(folder):
    keys = {
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    folder = pathlib.Path(folder)
    kid = {name: f"py-{name}" for name in keys}
    folder.joinpath("jwks.json").write_text(json.dumps({"keys": [jwk(kid[name], key.public_key()) for name, key in keys.items()]}))
    folder.joinpath("secret").write_bytes(SECRET)
    claims = {"sub": "python", "roles": ["service"], "exp": int(time.time()) + 600, "iss": "https://login.test", "aud": ["mail", "orders"]}
    tokens = {name: jwt.encode(claims, key, algorithm=name, headers={"kid": kid[name]}) for name, key in keys.items()}
    tokens["HS256"] = jwt.encode(claims, SECRET, algorithm="HS256")
    # The same names with what is wrong with them.
    tokens["expired"] = jwt.encode({**claims, "exp": int(time.time()) - 61}, keys["RS256"], algorithm="RS256", headers={"kid": kid["RS256"]})
    tokens["other algorithm"] = jwt.encode(claims, keys["RS256"], algorithm="RS512", headers={"kid": kid["RS256"]})
    tokens["other key"] = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers={"kid": kid["ES256"]})
    tokens["none"] = jwt.encode(claims, None, algorithm="none")
    json.dump(tokens, sys.stdout)


def read(path, token):
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_json(pathlib.Path(path).read_text()).keys}
    header = jwt.get_unverified_header(token)
    key = keys[header["kid"]]
    json.dump(jwt.decode(token, key.key, algorithms=[header["alg"]], options={"verify_aud": False}), sys.stdout)


if __name__ == "__main__":
    {"make": make, "read": read}[sys.argv[1]](*sys.argv[2:])
