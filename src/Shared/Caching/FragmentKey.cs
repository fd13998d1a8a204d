using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Bff.Requests;

namespace Bff.Caching;

/// <summary>
/// A fragment's identity. In process its parts are compared one by one and never joined, so that no key or subject, however it is spelled,
/// can match another scope. In Redis they are hashed with their lengths.
/// </summary>
internal readonly record struct FragmentKey
{
    private FragmentKey(
        string key,
        CacheScope scope,
        string? tenant,
        string? subject,
        bool isApiKey,
        bool isSandbox,
        Type type,
        string? variant
    )
    {
        Key = key;
        Scope = scope;
        Tenant = tenant;
        Subject = subject;
        IsApiKey = isApiKey;
        IsSandbox = isSandbox;
        Type = type;
        Variant = string.IsNullOrEmpty(variant) ? null : variant;
    }

    public string Key { get; }

    public CacheScope Scope { get; }

    public string? Tenant { get; }

    public string? Subject { get; }

    /// <summary>Whether the subject is the id of an API key, which is never a user's subject, even if it is spelled like one.</summary>
    public bool IsApiKey { get; }

    public bool IsSandbox { get; }

    /// <summary>The type read from the upstream's document, because two endpoints may read different members of one document.</summary>
    public Type Type { get; }

    /// <summary>The values of the client's headers that the fragment depends on.</summary>
    public string? Variant { get; }

    /// <summary>Creates the key. Returns false when no other request is known to have the same owner, so the read is not shared.</summary>
    public static bool TryMake<T>(in FragmentRequest<T> request, out FragmentKey key)
    {
        var caller = request.Caller;
        var scope = request.Scope == CacheScope.Tenant && string.IsNullOrEmpty(caller.Tenant) ? CacheScope.Caller : request.Scope;
        switch (scope)
        {
            case CacheScope.Public:
                key = new(request.Key, scope, null, null, false, caller.IsSandbox, typeof(T), request.Variant);
                return true;
            case CacheScope.Tenant:
                key = new(request.Key, scope, caller.Tenant, null, false, caller.IsSandbox, typeof(T), request.Variant);
                return true;
            case CacheScope.Caller when caller.IsAuthenticated && caller.Subject.Length > 0:
                key = new(
                    request.Key,
                    scope,
                    caller.Tenant,
                    caller.Subject,
                    caller.Kind == CallerKind.ApiKey,
                    caller.IsSandbox,
                    typeof(T),
                    request.Variant
                );
                return true;
            default:
                key = default;
                return false;
        }
    }

    /// <summary>Returns the name in Redis, which hides the owner. Another build reads other members, so it uses other names.</summary>
    public string SharedName(string host)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Key);
        Append(hash, Tenant);
        Append(hash, Subject);
        Append(hash, Type.FullName);
        Append(hash, Type.Module.ModuleVersionId.ToString());
        if (Variant is not null)
        {
            Append(hash, Variant);
        }

        hash.AppendData([(byte)Scope, IsApiKey ? (byte)1 : (byte)0, IsSandbox ? (byte)1 : (byte)0]);
        return $"bff:cache:{host}:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    private static void Append(IncrementalHash hash, string? part)
    {
        // UTF-16, because in UTF-8 different unpaired surrogates would become equal. The length delimits a part; -1 means that it is null.
        hash.AppendData(BitConverter.GetBytes(part?.Length ?? -1));
        hash.AppendData(MemoryMarshal.AsBytes(part.AsSpan()));
    }
}

/// <summary>Compares like the record itself, without its virtual calls per member.</summary>
internal sealed class FragmentKeyComparer : IEqualityComparer<FragmentKey>
{
    public static readonly FragmentKeyComparer Instance = new();

    public bool Equals(FragmentKey x, FragmentKey y) =>
        x.Scope == y.Scope
        && x.IsSandbox == y.IsSandbox
        && x.IsApiKey == y.IsApiKey
        && ReferenceEquals(x.Type, y.Type)
        && string.Equals(x.Key, y.Key)
        && string.Equals(x.Subject, y.Subject)
        && string.Equals(x.Tenant, y.Tenant)
        && string.Equals(x.Variant, y.Variant);

    public int GetHashCode(FragmentKey key) => HashCode.Combine(key.Key, key.Subject, key.Tenant, key.Variant, (int)key.Scope);
}
