# /// script
# requires-python = ">=3.11"
# dependencies = ["moto[server]>=5.1"]
# ///
"""An S3 store on loopback that asks for credentials: moto's, with one bucket and one user.

Prints one line of JSON (`url`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`) and serves until its
standard input ends.
"""

import json
import os
import sys

SETTING_UP = 4  # requests that need no credentials: those below that make bucket and user
os.environ |= {
    "INITIAL_NO_AUTH_ACTION_COUNT": str(SETTING_UP),
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}

import boto3  # type: ignore[import-not-found]  # noqa: E402
from moto.server import ThreadedMotoServer  # type: ignore[import-not-found]  # noqa: E402

EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def main() -> None:
    """Serve one bucket for one user."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    connection = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    boto3.client("s3", **connection).create_bucket(Bucket="bucket")
    people = boto3.client("iam", **connection)
    people.create_user(UserName="team")
    people.put_user_policy(
        UserName="team", PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING)
    )
    key = people.create_access_key(UserName="team")["AccessKey"]
    access = {
        "url": connection["endpoint_url"],
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    print(json.dumps(access), flush=True)
    sys.stdin.read()
    server.stop()


main()
