// Constructors, a template, a virtual call, a static of a function.
struct Counter {
    virtual int next(int by) = 0;
    virtual ~Counter() {}
};
template <int Start> struct From : Counter {
    int value;
    From() : value(Start) {}
    int next(int by) override { return value += by; }
};
static From<40> fromForty;

extern "C" int count_in_plus(int by) {
    static Counter &counter = fromForty;
    return counter.next(by);
}
