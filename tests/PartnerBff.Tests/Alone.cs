namespace PartnerBff.Tests;

/// <summary>
/// For tests of what the whole process has: its one heap, of which every other test's is part; its meters, of which hosts of one process
/// have the same names, so that the exporter takes them for one; its spans, which are exported by every host and dropped where its queue is
/// full.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
