// Drives a fuzz target without libFuzzer: its seeds and random mutations of them, a bounded number, from a
// printed seed.
//   fuzz_x [ITERATIONS [SEED]]     fuzz_x --write-seeds DIR
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>

#include "fuzz.hpp"

extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

std::string present;  // the input that is being tried

void print_present() {
  std::fprintf(stderr, "input (%zu bytes, hex): ", present.size());
  for (unsigned char byte : present) std::fprintf(stderr, "%02x", byte);
  std::fprintf(stderr, "\n");
}

class Mutator {
 public:
  Mutator(std::vector<std::string> pool, std::uint64_t seed) : pool_(std::move(pool)), random_(seed) {}

  std::string next() {
    std::string input = pool_[below(pool_.size())];
    for (std::size_t i = 1 + below(4); i > 0; --i) mutate(input);
    return input;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  void mutate(std::string& input) {
    const std::size_t at = below(input.size() + 1);
    switch (below(9)) {
      case 0:  // flip a bit
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:  // any byte
        if (at < input.size()) input[at] = static_cast<char>(below(256));
        break;
      case 2:  // a byte on a border
        if (at < input.size()) input[at] = "\x00\x01\x7f\x80\xff\xfe{}:,*"[below(11)];
        break;
      case 3:
        input.insert(at, 1 + below(3), static_cast<char>(below(256)));
        break;
      case 4:
        input.erase(at, 1 + below(8));
        break;
      case 5:
        input.resize(at);
        break;
      case 6:  // a huge varint, a huge number
        input.insert(at, below(2) ? "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" : "9223372036854775807");
        break;
      case 7:  // repeat a piece
        input.insert(at, input.substr(below(input.size() + 1), below(32)));
        break;
      default: {  // the head of one, the tail of another
        const std::string& other = pool_[below(pool_.size())];
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
      }
    }
  }

  std::vector<std::string> pool_;
  std::mt19937_64 random_;
};

void try_input(const std::string& input) {
  present = input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(present.data()), present.size());
}

int write_seeds(const std::string& directory) {
  int number = 0;
  for (const std::string& seed : fuzz_seeds()) {
    std::ofstream(directory + "/seed" + std::to_string(number++), std::ios::binary) << seed;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write-seeds") == 0) return write_seeds(argv[2]);
  const std::uint64_t iterations = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
  std::printf("seed %llu, %llu iterations\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(iterations));
  std::fflush(stdout);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_present);
  std::signal(SIGABRT, [](int) {
    print_present();
    std::_Exit(1);
  });

  for (const std::string& input : fuzz_seeds()) try_input(input);
  Mutator mutator(fuzz_seeds(), seed);
  for (std::uint64_t i = 0; i < iterations; ++i) try_input(mutator.next());
  return 0;
}
