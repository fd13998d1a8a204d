using Bff.Configuration;

namespace Bff.Tenancy;

/// <summary>Settings of a bucket other than those of the plans.</summary>
internal sealed record BucketSettings
{
    public const string RateRange = "a number from 1 to 10000000";

    [Setting(Min = 1, Max = BucketPolicy.Max)]
    public long? RequestsPerMinute { get; init; }

    [Setting(Min = 1, Max = BucketPolicy.Max)]
    public long? Burst { get; init; }
}
