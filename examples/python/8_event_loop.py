"""Follows a key in the loop of asyncio, whose timer writes it meanwhile: nothing blocks the thread."""

import asyncio

from consul_ffi.aio import AsyncClient

KEY = "app/loop"


async def write_later(client: AsyncClient) -> None:
    await asyncio.sleep(0.1)
    print("a timer writes it")
    await client.kv.put(KEY, "10")


async def main() -> None:
    async with AsyncClient() as client:
        timer = None
        # Until something changes, the loop does other things.
        async for view in client.watch.key(KEY):
            if view.pair is None:
                print(f"{KEY} does not exist")
                timer = asyncio.create_task(write_later(client))
                continue
            print(f"{KEY} = {view.pair.text}")
            break
        if timer is not None:
            await timer
        await client.kv.delete(KEY)


asyncio.run(main())
