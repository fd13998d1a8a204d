namespace Bff.Shared.Tests;

/// <summary>
/// Runs tests that measure memory without parallel tests, because the process has one heap and every other test allocates from it.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
