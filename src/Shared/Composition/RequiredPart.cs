using Bff.Caching;
using Bff.Requests;
using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>
/// A part that every answer has, so its value is never null while the answer is built. Methods that may leave it out
/// (<see cref="ReadPart{T}.OnlyIf"/>, <see cref="ReadPart{T}.After(Part, Func{bool})"/> with a condition) return it as a
/// <see cref="ReadPart{T}"/>, whose value may be null.
/// </summary>
public sealed class RequiredPart<T> : RequiredRead<T, RequiredPart<T>>
    where T : class
{
    internal RequiredPart(Composer composer, string name, UpstreamCall<T> call)
        : base(composer, name, call) { }

    internal RequiredPart(Composer composer, string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, after, later) { }

    /// <summary>The data.</summary>
    /// <exception cref="InvalidOperationException">The composition has not run, or the part was skipped with a part that it depends
    /// on.</exception>
    public new T Value => base.Value ?? throw Missing();
}

/// <summary>A required part whose value is a number or another struct.</summary>
public sealed class RequiredValuePart<T> : RequiredRead<T?, RequiredValuePart<T>>
    where T : struct
{
    internal RequiredValuePart(Composer composer, string name, UpstreamCall<T?> call)
        : base(composer, name, call) { }

    internal RequiredValuePart(Composer composer, string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T?>?> later)
        : base(composer, name, after, later) { }

    /// <inheritdoc cref="RequiredPart{T}.Value"/>
    public new T Value => base.Value ?? throw Missing();
}

/// <summary>The policies of a <see cref="ReadPart{T}"/> that keep it required.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
/// <typeparam name="TSelf">The part's own type.</typeparam>
public abstract class RequiredRead<T, TSelf> : ReadPart<T>
    where TSelf : RequiredRead<T, TSelf>
{
    private protected RequiredRead(Composer composer, string name, UpstreamCall<T> call)
        : base(composer, name, isRequired: true, call) { }

    private protected RequiredRead(Composer composer, string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, isRequired: true, after, later) { }

    /// <inheritdoc cref="ReadPart{T}.Timeout"/>
    public new TSelf Timeout(TimeSpan atMost) => Same(base.Timeout(atMost));

    /// <inheritdoc cref="ReadPart{T}.Cached"/>
    public new TSelf Cached(CacheScope scope, string key, TimeSpan fresh, TimeSpan stale, params IReadOnlyList<string> tags) =>
        Same(base.Cached(scope, key, fresh, stale, tags));

    /// <inheritdoc cref="ReadPart{T}.After(Part, Func{bool})"/>
    public TSelf After(Part part) => Same(base.After(part));

    /// <inheritdoc cref="ReadPart{T}.At"/>
    public new TSelf At(string? cursor) => Same(base.At(cursor));

    /// <inheritdoc cref="ReadPart{T}.Refused"/>
    public new TSelf Refused(Func<UpstreamAnswer<T>, Problem?> problem) => Same(base.Refused(problem));

    /// <inheritdoc cref="ReadPart{T}.Otherwise(UpstreamCall{T})"/>
    public new TSelf Otherwise(UpstreamCall<T> call) => Same(base.Otherwise(call));

    /// <inheritdoc cref="ReadPart{T}.Otherwise(Func{UpstreamCall{T}})"/>
    public new TSelf Otherwise(Func<UpstreamCall<T>?> call) => Same(base.Otherwise(call));

    /// <inheritdoc cref="ReadPart{T}.Fallback"/>
    public new TSelf Fallback(Func<T?> standIn) => Same(base.Fallback(standIn));

    private protected InvalidOperationException Missing() => new($"Part '{Name}' has no value: it has not run, or was left out.");

    private static TSelf Same(ReadPart<T> part) => (TSelf)part;
}
