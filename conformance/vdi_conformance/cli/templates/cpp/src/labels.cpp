#include "labels.hpp"

#include "library.hpp"

namespace {

// Lets nobody through before all have come.
class Gate {
  public:
    explicit Gate(std::size_t awaited) : awaited_(awaited) {}

    void pass() {
        std::unique_lock held(lock_);
        if (--awaited_ == 0) {
            open_.notify_all();
        }
        open_.wait(held, [this] { return awaited_ == 0; });
    }

  private:
    std::mutex lock_;
    std::condition_variable open_;
    std::size_t awaited_;
};

}  // namespace

Worker::Worker() : thread_([this] { work(); }) {}

void Worker::add(Task task) {
    const std::lock_guard held(lock_);
    tasks_.push(std::move(task));
    added_.notify_one();
}

void Worker::end() {
    add({});
    thread_.join();
}

Task Worker::next() {
    std::unique_lock held(lock_);
    added_.wait(held, [this] { return !tasks_.empty(); });
    Task task = std::move(tasks_.front());
    tasks_.pop();
    return task;
}

void Worker::work() {
    library::enter_thread();
    while (const Task task = next()) {
        task();
    }
}

void Labels::run(const std::string& label, Task task) {
    const std::lock_guard held(lock_);
    std::unique_ptr<Worker>& worker = workers_[label];
    if (!worker) {
        worker = std::make_unique<Worker>();
    }
    worker->add(std::move(task));
}

void Labels::run_together(std::vector<std::pair<std::string, Task>> tasks) {
    const auto gate = std::make_shared<Gate>(tasks.size());
    for (auto& [label, task] : tasks) {
        run(label, [gate, task = std::move(task)] {
            gate->pass();
            task();
        });
    }
}

void Labels::end(const std::string& label) {
    std::unique_ptr<Worker> worker;
    {
        const std::lock_guard held(lock_);
        worker = std::move(workers_[label]);
        workers_.erase(label);
    }
    if (worker) {
        worker->end();
    }
}
