"""Measures Python producer libraries as cmd/core measures Go ones: 200-byte user records with random partition keys go
in, requests come out and are discarded. Prints the result as JSON."""

import argparse
import asyncio
import contextlib
import json
import random
import resource
import time

RECORD_SIZE = 200
AGGREGATE_SIZE = 51_200  # aiokpl's default, and that of the Go libraries


def random_keys():
    source = random.Random(1)
    return ["%016x" % source.getrandbits(64) for _ in range(1 << 16)]


def aggregate(items, keys):
    """awslabs' aws-kinesis-agg, which packs aggregates and does nothing else."""
    from aws_kinesis_agg.aggregator import RecordAggregator

    aggregator = RecordAggregator(AGGREGATE_SIZE)
    data = bytes(RECORD_SIZE)
    records = []
    for i in range(items):
        full = aggregator.add_user_record(keys[i % len(keys)], data)
        if full:
            records.append(full.get_contents())
            if len(records) == 500:
                records = []  # a request
    last = aggregator.clear_and_get()
    if last:
        last.get_contents()


class Discard:
    """A service of one shard that stores everything, and forgets it."""

    async def list_shards(self, **_):
        keys = {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)}
        return {"Shards": [{"ShardId": "shardId-000000000000", "HashKeyRange": keys}]}

    async def put_records(self, **request):
        stored = {"ShardId": "shardId-000000000000", "SequenceNumber": "1"}
        return {"FailedRecordCount": 0, "Records": [stored] * len(request["Records"])}


class Session:
    """Stands in for aiobotocore's."""

    @contextlib.asynccontextmanager
    async def create_client(self, *_, **__):
        yield Discard()


async def produce(items, keys):
    """aiokpl, with its defaults but for the limits of a shard, which the discarding service does not have."""
    import aiobotocore.session
    from aiokpl import Config, Producer

    aiobotocore.session.get_session = Session
    config = Config(
        region="us-west-2",
        rate_limit_records_per_sec_per_shard=1e9,
        rate_limit_bytes_per_sec_per_shard=1e12,
    )
    data = bytes(RECORD_SIZE)
    async with Producer(config) as producer:
        outcomes = [
            await producer.put_record(stream="stream", partition_key=keys[i % len(keys)], data=data)
            for i in range(items)
        ]
        await producer.flush()
        for outcome in outcomes:
            assert (await outcome.wait()).success


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-library", choices=["aws_kinesis_agg", "aiokpl"], required=True)
    parser.add_argument("-items", type=int, default=50_000)
    arguments = parser.parse_args()
    keys = random_keys()

    def send(items):
        if arguments.library == "aiokpl":
            asyncio.run(produce(items, keys))
        else:
            aggregate(items, keys)

    send(arguments.items // 5)  # to warm up
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    send(arguments.items)
    print(json.dumps({
        "items": arguments.items,
        "bytes": arguments.items * RECORD_SIZE,
        "cpu": time.process_time_ns() - cpu,
        "wall": time.perf_counter_ns() - wall,
        "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }))


if __name__ == "__main__":
    main()
