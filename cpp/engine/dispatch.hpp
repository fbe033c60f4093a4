// Which build of the engine this machine runs, and a small parallel loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel.hpp"

namespace escapade {

std::vector<std::string> built_targets();      // best first
std::vector<std::string> supported_targets();  // of these, what this CPU can run
const Target& active_target();                 // the best, unless ESCAPADE_ISA or choose_target said otherwise
void choose_target(const std::string& isa);    // throws std::invalid_argument with what is allowed

// Calls body(worker, index) for every index below count, on at most `threads` threads. Indices are handed out in any order.
void parallel_for(size_t count, int threads, const std::function<void(int, size_t)>& body);

}  // namespace escapade
