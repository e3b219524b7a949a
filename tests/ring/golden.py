"""Writes golden.txt: which node of a ring each of 10,000 keys belongs to, and the replicas of the
first 1,000. An implementation of its own, made from the published hash and the words of src/ring,
which every language's tests are held to.

    python3 tests/ring/golden.py > tests/ring/golden.txt
"""

from bisect import bisect_left

MASK = (1 << 64) - 1
C1, C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F

NODES = [
    ("node-1", 1),
    ("node-2", 1),
    ("node-10", 2),
    ("10.0.0.1:8500", 1),
    ("ünïcode/節点", 1),
    ("a", 3),
    ("node-1#1", 1),
    ("Node-1", 1),
    ("a-name-that-is-longer-than-one-block-of-the-hash.example.com", 1),
]


def rotl(x, bits):
    return ((x << bits) | (x >> (64 - bits))) & MASK


def mix(k):
    k ^= k >> 33
    k = k * 0xFF51AFD7ED558CCD & MASK
    k ^= k >> 33
    k = k * 0xC4CEB9FE1A85EC53 & MASK
    return k ^ k >> 33


def murmur3_x64_128(data):
    h1 = h2 = 0
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1 = int.from_bytes(data[at : at + 8], "little")
        k2 = int.from_bytes(data[at + 8 : at + 16], "little")
        h1 ^= rotl(k1 * C1 & MASK, 31) * C2 & MASK
        h1 = ((rotl(h1, 27) + h2) * 5 + 0x52DCE729) & MASK
        h2 ^= rotl(k2 * C2 & MASK, 33) * C1 & MASK
        h2 = ((rotl(h2, 31) + h1) * 5 + 0x38495AB5) & MASK
    tail = data[whole:]
    k1 = int.from_bytes(tail[:8], "little")
    k2 = int.from_bytes(tail[8:], "little")
    h2 ^= rotl(k2 * C2 & MASK, 33) * C1 & MASK
    h1 ^= rotl(k1 * C1 & MASK, 31) * C2 & MASK
    h1 ^= len(data)
    h2 ^= len(data)
    h1 = (h1 + h2) & MASK
    h2 = (h2 + h1) & MASK
    h1, h2 = mix(h1), mix(h2)
    h1 = (h1 + h2) & MASK
    return h1, (h2 + h1) & MASK


def key(number):
    return "{}:{}".format(number, "é" * (number % 37)).encode()


def place(data):
    return murmur3_x64_128(data)[0]


def golden():
    points = sorted(
        (place("{}#{}".format(name, number).encode()), name.encode(), chr(ord("a") + at))
        for at, (name, weight) in enumerate(NODES)
        for number in range(160 * weight)
    )
    places = [point[0] for point in points]

    def owners(data, count):
        at = bisect_left(places, place(data))
        found = []
        for step in range(len(points)):
            letter = points[(at + step) % len(points)][2]
            if letter not in found:
                found.append(letter)
            if len(found) == count:
                break
        return "".join(found)

    lines = ["{} {}".format(name, weight) for name, weight in NODES] + [""]
    letters = "".join(owners(key(number), 1) for number in range(10000))
    lines += [letters[at : at + 100] for at in range(0, 10000, 100)] + [""]
    replicas = [owners(key(number), 1 + number % 9) for number in range(1000)]
    lines += [" ".join(replicas[at : at + 20]) for at in range(0, 1000, 20)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # The published test values of the hash.
    assert murmur3_x64_128(b"") == (0, 0)
    assert murmur3_x64_128(b"hello") == (0xCBD8A7B341BD9B02, 0x5B1E906A48AE1D19)
    print(golden(), end="")
