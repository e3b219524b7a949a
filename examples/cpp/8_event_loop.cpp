// Follows a key in an epoll loop, whose timer writes it meanwhile: nothing blocks the thread.

#include <consul_ffi.hpp>
#include <iostream>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char *const key = "app/loop";

// What the events of the queue belong to.
enum : std::uint64_t { watch_tag = 1, write_tag = 2 };

class program {
public:
    program() {
        listen_to(timer_);
        listen_to(queue_.fd());
    }
    ~program() {
        close(timer_);
        close(epoll_);
    }

    void run() {
        while (!done_) {
            epoll_event ready = {};
            if (epoll_wait(epoll_, &ready, 1, -1) == 1) {
                ready.data.fd == timer_ ? ring() : take();
            }
        }
        client_.kv().delete_(key).value();
    }

private:
    void listen_to(int fd) {
        epoll_event event = {};
        event.events = EPOLLIN;
        event.data.fd = fd;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    // Begins a write; its answer arrives in the queue.
    void ring() {
        std::uint64_t times = 0;
        if (read(timer_, &times, sizeof times) == sizeof times) {
            std::cout << "a timer writes it\n";
            client_.on(queue_, write_tag).kv().put(key, "10").throw_if_failed();
        }
    }

    // The queue's descriptor is readable: takes what is there.
    void take() {
        for (consul::event &event : queue_.events()) {
            handle(event);
        }
    }

    void handle(consul::event &event) {
        const itimerspec soon = {{0, 0}, {0, 100000000}};
        switch (event.type()) {
        case consul::event_type::watch_ready:
            show();
            timerfd_settime(timer_, 0, &soon, nullptr);
            break;
        case consul::event_type::watch_changed:
            show();
            done_ = true;
            break;
        case consul::event_type::watch_health:
            if (const auto error = event.error(); error.is_error()) { // it goes on by itself
                std::cerr << error.what() << '\n';
            }
            break;
        case consul::event_type::done:
            event.take<void>().value(); // of the write
            break;
        default: // there will be more
            break;
        }
    }

    // Shows the newest state of the key.
    void show() {
        view_.refresh().throw_if_failed();
        const auto pair = view_.find_pair(key);
        std::cout << key << (pair ? " = " : " does not exist") << (pair ? pair->value() : "") << '\n';
    }

    consul::client client_ = consul::client::create().value();
    consul::queue queue_ = consul::queue::create().value();
    consul::watch watch_ = client_.on(queue_, watch_tag)
                               .watch(consul::watch_spec(consul::watch_kind::key, key))
                               .value();
    consul::view view_ = watch_.view().value();
    int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    int timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    bool done_ = false;
};

int main() try {
    program().run();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
