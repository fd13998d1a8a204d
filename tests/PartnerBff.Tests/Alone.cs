namespace PartnerBff.Tests;

/// <summary>
/// Runs alone the tests of process-wide state: the heap, which all tests share; the meters, whose names are the same for every host of a
/// process, so that the exporter merges them; and the spans, which every host exports and which a full queue drops.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
