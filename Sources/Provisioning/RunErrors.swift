import Factory
import RunFiles

/// What keeps an app from being built in keeps the run from beginning.
func asRunError<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let problem as AppProblem { throw RunError(problem.description) }
}
