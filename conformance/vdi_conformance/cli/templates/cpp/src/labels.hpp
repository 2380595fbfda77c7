// Labels: the requests of one label run in their order on one thread of their own, those of different labels at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using Task = std::function<void()>;

// One thread, and the tasks that wait for it; an empty task ends it.
class Worker {
  public:
    Worker();
    void add(Task task);
    void end();

  private:
    void work();
    Task next();

    std::mutex lock_;
    std::condition_variable added_;
    std::queue<Task> tasks_;
    std::thread thread_;
};

// The threads of all labels, each started when its label is first heard.
class Labels {
  public:
    void run(const std::string& label, Task task);
    // Run tasks of different labels, which begin at the same moment: when the threads of all are free.
    void run_together(std::vector<std::pair<std::string, Task>> tasks);
    // End the thread of a label; its next task gets a new one.
    void end(const std::string& label);

  private:
    std::mutex lock_;
    std::map<std::string, std::unique_ptr<Worker>> workers_;
};
