using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Tenancy;
using Microsoft.Extensions.Configuration;

namespace Bff.Tenants;

/// <summary>
/// The members of <c>Tenants:&lt;id&gt;</c> as JSON. They are read and checked as a configuration section, by the same reader.
/// </summary>
internal sealed record TenantDocument
{
    public string? Plan { get; init; }

    public RateLimitDocument? RateLimit { get; init; }

    public IReadOnlyList<string>? AllowedEndpoints { get; init; }

    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    public string? CustomDomain { get; init; }

    public IReadOnlyDictionary<string, DedicatedUpstreamDocument>? DedicatedUpstreams { get; init; }

    public string? Priority { get; init; }

    public int? MaxConcurrency { get; init; }

    /// <summary>Returns the document of a configured tenant.</summary>
    public static TenantDocument Of(Tenant tenant) =>
        new()
        {
            Plan = tenant.Plan?.Name,
            RateLimit = tenant.Bucket is { } bucket ? new(bucket.PerMinute, bucket.Burst) : null,
            AllowedEndpoints = tenant.AllowedEndpoints.Count == 0 ? null : [.. tenant.AllowedEndpoints.Select(e => e.Text)],
            AllowedAddresses = tenant.AllowedAddresses.Count == 0 ? null : [.. tenant.AllowedAddresses.Select(n => n.ToString())],
            CustomDomain = tenant.CustomDomain,
            DedicatedUpstreams =
                tenant.DedicatedUpstreams.Count == 0
                    ? null
                    : tenant.DedicatedUpstreams.ToDictionary(u => u.Key, u => new DedicatedUpstreamDocument(u.Value.AbsoluteUri)),
            Priority = tenant.Priority == TenantPriority.Normal ? null : JsonNamingPolicy.CamelCase.ConvertName(tenant.Priority.ToString()),
            MaxConcurrency = tenant.MaxConcurrency,
        };

    /// <summary>
    /// Reads a stored document. Members that a later version has written are ignored. Null if the text is not such a document, for
    /// example because it was stored by hand.
    /// </summary>
    public static TenantDocument? ReadOrNull(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, StoredTenantJson.Default.TenantDocument);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Returns the stored form, which is the same for equal documents.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, TenantJson.Default.TenantDocument);

    /// <summary>Returns a strong validator (RFC 9110 section 8.8.3).</summary>
    public static string ETagOf(ReadOnlySpan<byte> stored) => $"\"{Base64Url.EncodeToString(SHA256.HashData(stored).AsSpan(0, 18))}\"";

    /// <summary>Returns the tenant that the document describes, and every mistake under the name of its member.</summary>
    public (Tenant Tenant, Dictionary<string, string[]> Errors) Parse(string id, LimitSettings settings)
    {
        var mistakes = new ConfigurationMistakes();
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        Flatten(JsonSerializer.SerializeToElement(this, TenantJson.Default.TenantDocument), Root, values, mistakes);
        var section = new ConfigurationBuilder().AddInMemoryCollection(values).Build().GetSection(Root);
        var tenant = LimitSettingsReader.ReadTenant(section, id, settings.Plans, settings.Upstreams, mistakes);
        return (tenant, mistakes.All.GroupBy(m => Member(m.Key)).ToDictionary(m => m.Key, m => m.Select(x => x.Message).ToArray()));
    }

    private const string Root = "tenant";

    /// <summary>
    /// Turns the JSON into configuration values. Configuration keys are case-insensitive, so two names that differ only in case are a
    /// mistake.
    /// </summary>
    private static void Flatten(JsonElement element, string path, Dictionary<string, string?> values, ConfigurationMistakes mistakes)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    Flatten(member.Value, $"{path}:{member.Name}", values, mistakes);
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Flatten(item, $"{path}:{index++}", values, mistakes);
                }

                break;
            default:
                if (!values.TryAdd(path, element.ToString()))
                {
                    mistakes.Add(path, "is there twice. Upper and lower case make no difference in names; remove one.");
                }

                break;
        }
    }

    private static string Member(string key) => string.Join('.', key.Split(':').Skip(1).Select(JsonNamingPolicy.CamelCase.ConvertName));
}

/// <summary>The bucket that all the tenant's callers share.</summary>
internal sealed record RateLimitDocument(long? RequestsPerMinute, long? Burst);

/// <summary>A dedicated upstream of the tenant.</summary>
internal sealed record DedicatedUpstreamDocument(string? Address);

/// <summary>An item of the list of tenants.</summary>
/// <param name="Id">The tenant's id.</param>
/// <param name="Source"><c>store</c> or <c>configuration</c>.</param>
/// <param name="ETag">The version, for <c>If-Match</c>.</param>
/// <param name="Tenant">The tenant's members.</param>
internal sealed record TenantItem(string Id, string Source, [property: JsonPropertyName("etag")] string ETag, TenantDocument Tenant);

/// <summary>A page of tenants, ordered by id.</summary>
internal sealed record TenantPage(IReadOnlyList<TenantItem> Data, bool HasMore, string? NextCursor);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TenantDocument))]
internal sealed partial class StoredTenantJson : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
)]
[JsonSerializable(typeof(TenantDocument))]
[JsonSerializable(typeof(TenantPage))]
internal sealed partial class TenantJson : JsonSerializerContext;
