// How commands end when something fails.
import ArgumentParser
import Subprocess

/// Turns errors into one message and a status.
enum Report {
    /// Runs `body`; an error is said as `apus: error: ...` and becomes exit status 1.
    static func errors(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let status as ExitCode {
            throw status
        } catch {
            Progress.step("error: \(error)")
            throw ExitCode.failure
        }
    }
}
