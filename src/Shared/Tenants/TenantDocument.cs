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
/// The members of <c>Tenants:&lt;id&gt;</c> in JSON. They are read and checked as a section of the configuration, by the one reader that
/// there is.
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

    /// <summary>What configuration says of a tenant.</summary>
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

    /// <summary>What is stored; members that a later version has written are left out.</summary>
    public static TenantDocument Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, StoredTenantJson.Default.TenantDocument) ?? new();

    /// <summary>As <see cref="Read"/>; null of what is no such document, as one that was put there by hand may be.</summary>
    public static TenantDocument? ReadOrNull(ReadOnlySpan<byte> json)
    {
        try
        {
            return Read(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>As it is stored: one spelling of each document.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, TenantJson.Default.TenantDocument);

    /// <summary>A strong validator (RFC 9110 section 8.8.3).</summary>
    public static string ETagOf(ReadOnlySpan<byte> stored) => $"\"{Base64Url.EncodeToString(SHA256.HashData(stored).AsSpan(0, 18))}\"";

    /// <summary>The tenant that it describes, and every mistake under the name of its member.</summary>
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

    /// <summary>Names of configuration have no case, so that two which differ in it alone are one.</summary>
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
                    mistakes.Add(path, "is there twice; names have no case.");
                }

                break;
        }
    }

    private static string Member(string key) => string.Join('.', key.Split(':').Skip(1).Select(JsonNamingPolicy.CamelCase.ConvertName));
}

/// <summary>The bucket that all its callers share.</summary>
internal sealed record RateLimitDocument(long? RequestsPerMinute, long? Burst);

/// <summary>A service of its own.</summary>
internal sealed record DedicatedUpstreamDocument(string? Address);

/// <summary>One of the list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Source"><c>store</c> or <c>configuration</c>.</param>
/// <param name="ETag">For <c>If-Match</c>.</param>
/// <param name="Tenant">Its members.</param>
internal sealed record TenantItem(string Id, string Source, [property: JsonPropertyName("etag")] string ETag, TenantDocument Tenant);

/// <summary>A page of them, by id.</summary>
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
