"""The pool of receive buffers: bounded, whole again after any use, safe between threads."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from xomyen.terms.buffers import BufferPool, Lease


@given(st.lists(st.sampled_from(["take", "retain", "release"]), max_size=60), st.integers(1, 4))
def test_a_buffer_is_free_exactly_when_its_last_holder_let_go(steps: list[str], limit: int) -> None:
    pool = BufferPool(16, limit)
    held: list[Lease] = []
    for step in steps:
        if step == "take":
            lease = pool.take()
            assert (lease is None) == (len({id(one) for one in held}) == limit)
            if lease is not None:
                assert all(lease is not other for other in held)
                held.append(lease)
        elif held and step == "retain":
            held[0].retain()
            held.append(held[0])
        elif held:
            held.pop().release()
    assert pool.out == len({id(one) for one in held})
    for lease in held:
        lease.release()
    assert pool.out == 0


def test_holders_on_other_threads_give_it_back() -> None:
    pool = BufferPool(16, 3)

    def use() -> None:
        for _ in range(2000):
            if lease := pool.take():
                lease.retain()
                lease.release()
                lease.release()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pool.out == 0
    assert pool.made <= 3
