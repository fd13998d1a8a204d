namespace Bff.Caching;

/// <summary>Who may see a cached value. There is no default.</summary>
public enum CacheScope
{
    /// <summary>Everybody, anonymous callers included.</summary>
    Public,

    /// <summary>Callers of the same tenant.</summary>
    Tenant,

    /// <summary>The same tenant and subject.</summary>
    Caller,
}
