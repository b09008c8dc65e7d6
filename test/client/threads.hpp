// Threads of a stress test, and the diary that they keep.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace client {

// How often what happened: by kind of session and outcome; and what should not have happened.
class Diary {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    ++counts_[what];
  }
  void complain(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (complaints_.size() < 20) complaints_.push_back(what);
  }
  // The last things that changed tables as a whole, with their time: what a failure is explained with.
  void remember(const std::string& what) {
    const std::lock_guard lock(mutex_);
    events_.push_back(what);
    if (events_.size() > 60) events_.erase(events_.begin());
  }
  std::string counts() const {
    std::string text;
    for (const auto& [what, times] : counts_) text += "  " + what + ": " + std::to_string(times) + "\n";
    return text;
  }
  std::string events() const {
    std::string text;
    for (const auto& event : events_) text += "  " + event + "\n";
    return text;
  }
  const std::vector<std::string>& complaints() const { return complaints_; }
  long count(const std::string& what) const {
    const auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, long> counts_;
  std::vector<std::string> complaints_;
  std::vector<std::string> events_;
};

// Threads that end when their flag says so.
class Sessions {
 public:
  explicit Sessions(std::atomic<bool>& end) : end_(end) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;
  ~Sessions() { finish(); }
  template <class Body>
  void start(Body body) {
    threads_.emplace_back(std::move(body));
  }
  void finish() {
    end_ = true;
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  std::atomic<bool>& end_;
  std::vector<std::thread> threads_;
};

}  // namespace client
