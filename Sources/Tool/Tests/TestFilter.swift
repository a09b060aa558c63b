// Which part of the tests `--filter NAME` runs.

/// A case is named `stage/case`. The filter takes all of a stage whose name contains the text, and
/// otherwise the cases whose full name does; without a text, everything.
struct TestFilter: Sendable {
    let text: String?

    init(_ text: String?) {
        self.text = text
    }

    func selectsAll(of stage: String) -> Bool {
        guard let text else { return true }
        return stage.contains(text)
    }

    func selects(_ name: String, of stage: String) -> Bool {
        guard let text else { return true }
        return "\(stage)/\(name)".contains(text)
    }

    /// Of these cases of a stage, those to run.
    func selection(of names: [String], in stage: String) -> [String] {
        selectsAll(of: stage) ? names : names.filter { selects($0, of: stage) }
    }
}
