// The methods of the protocol: each reads its parameters, makes one call, and says what came of it.
#pragma once

#include "labels.hpp"
#include "protocol.hpp"

class Methods {
  public:
    // `on_stack` is an address of the main thread's stack; `own_layout` tells what memory::spread gave.
    Methods(protocol::Answers& answers, const void* on_stack, bool own_layout)
        : answers_(answers), on_stack_(on_stack), own_layout_(own_layout) {}

    // Perform a request on the thread of its label, or at once where it has none.
    void take(protocol::Request request);

  private:
    void perform(const protocol::Request& request);
    protocol::Json result_of(const protocol::Request& request);
    protocol::Json concurrently(const protocol::Parameters& given);

    protocol::Answers& answers_;
    const void* on_stack_;
    bool own_layout_;
    Labels labels_;
};
