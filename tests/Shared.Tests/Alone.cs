namespace Bff.Shared.Tests;

/// <summary>For tests of how much memory something takes: the process has one heap, and every other test's is part of it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
