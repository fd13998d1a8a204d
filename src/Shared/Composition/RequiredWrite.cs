using Bff.Requests;
using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>
/// A write that is sent whenever the composition succeeds, so its value is never null while the answer is built. Methods that may leave it
/// out (<see cref="WritePart{T}.OnlyIf"/>, <see cref="WritePart{T}.After(Part, Func{bool})"/> with a condition) return it as a
/// <see cref="WritePart{T}"/>, whose value may be null.
/// </summary>
public sealed class RequiredWrite<T> : WritePart<T>
    where T : class
{
    internal RequiredWrite(Composer composer, string name, UpstreamCall<T> call)
        : base(composer, name, call) { }

    internal RequiredWrite(Composer composer, string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, after, later) { }

    /// <summary>The service's answer.</summary>
    /// <exception cref="InvalidOperationException">The composition has not run, or the write was skipped with a part that it depends
    /// on.</exception>
    public new T Value =>
        base.Value ?? throw new InvalidOperationException($"Part '{Name}' has no value: it has not run, or was left out.");

    /// <inheritdoc cref="WritePart{T}.Timeout"/>
    public new RequiredWrite<T> Timeout(TimeSpan atMost) => Same(base.Timeout(atMost));

    /// <inheritdoc cref="WritePart{T}.After(Part, Func{bool})"/>
    public RequiredWrite<T> After(Part part) => Same(base.After(part));

    /// <inheritdoc cref="WritePart{T}.Refused"/>
    public new RequiredWrite<T> Refused(Func<UpstreamAnswer<T>, Problem?> problem) => Same(base.Refused(problem));

    /// <inheritdoc cref="WritePart{T}.TakenBackBy"/>
    public new RequiredWrite<T> TakenBackBy<TAnswer>(Func<T, UpstreamWrite<TAnswer>> call) => Same(base.TakenBackBy(call));

    private static RequiredWrite<T> Same(WritePart<T> part) => (RequiredWrite<T>)part;
}
