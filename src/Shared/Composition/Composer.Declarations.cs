using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>Declares the parts of an answer. For numbers and other structs see <see cref="ValueParts"/>.</summary>
public sealed partial class Composer
{
    /// <summary>Declares a required part: if it fails, the request fails.</summary>
    /// <param name="name">The part's name in configuration, <c>_meta</c> and <c>Server-Timing</c>.</param>
    /// <param name="call">The call to the service; made when the composition runs.</param>
    public RequiredPart<T> Required<T>(string name, UpstreamCall<T> call)
        where T : class => Add(new RequiredPart<T>(this, name, call));

    /// <summary>Declares an optional part: its value is null when it fails.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="call">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    public ReadPart<T> Optional<T>(string name, UpstreamCall<T> call)
        where T : class => Read(name, isRequired: false, call);

    /// <summary>Declares a required part that needs another part's value, and is called only when that exists.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The part whose value is needed.</param>
    /// <param name="call">Builds the call from that value.</param>
    public RequiredPart<T> Required<TOther, T>(string name, Part<TOther> after, Func<TOther, UpstreamCall<T>> call)
        where T : class => Add(new RequiredPart<T>(this, name, [after], () => call(after.Value!)));

    /// <summary>Declares an optional part that needs another part's value, and is called only when that exists.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The part whose value is needed.</param>
    /// <param name="call">Builds the call from that value; returns null to leave the part out.</param>
    public ReadPart<T> Optional<TOther, T>(string name, Part<TOther> after, Func<TOther, UpstreamCall<T>?> call)
        where T : class => Read(name, isRequired: false, [after], () => call(after.Value!));

    /// <inheritdoc cref="Required{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamCall{T}})"/>
    public RequiredPart<T> Required<TOther, T>(string name, RequiredValuePart<TOther> after, Func<TOther, UpstreamCall<T>> call)
        where TOther : struct
        where T : class => Add(new RequiredPart<T>(this, name, [after], () => call(after.Value)));

    /// <inheritdoc cref="Optional{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamCall{T}})"/>
    public ReadPart<T> Optional<TOther, T>(string name, RequiredValuePart<TOther> after, Func<TOther, UpstreamCall<T>?> call)
        where TOther : struct
        where T : class => Read(name, isRequired: false, [after], () => call(after.Value));

    /// <summary>Declares a required part that needs the values of two others, and is called only when both exist.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The parts whose values are needed: <see cref="Parts.All{TFirst, TSecond}"/>.</param>
    /// <param name="call">Builds the call from those values.</param>
    public RequiredPart<T> Required<TFirst, TSecond, T>(
        string name,
        Needs<TFirst, TSecond> after,
        Func<TFirst, TSecond, UpstreamCall<T>> call
    )
        where T : class =>
        Add(new RequiredPart<T>(this, name, [after.First, after.Second], () => call(after.First.Value!, after.Second.Value!)));

    /// <summary>Declares an optional part that needs the values of two others, and is called only when both exist.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The parts whose values are needed: <see cref="Parts.All{TFirst, TSecond}"/>.</param>
    /// <param name="call">Builds the call from those values; returns null to leave the part out.</param>
    public ReadPart<T> Optional<TFirst, TSecond, T>(string name, Needs<TFirst, TSecond> after, Func<TFirst, TSecond, UpstreamCall<T>?> call)
        where T : class => Read(name, isRequired: false, [after.First, after.Second], () => call(after.First.Value!, after.Second.Value!));

    /// <summary>Declares a required part that needs the values of three others, and is called only when all exist.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The parts whose values are needed: <see cref="Parts.All{TFirst, TSecond, TThird}"/>.</param>
    /// <param name="call">Builds the call from those values.</param>
    public RequiredPart<T> Required<TFirst, TSecond, TThird, T>(
        string name,
        Needs<TFirst, TSecond, TThird> after,
        Func<TFirst, TSecond, TThird, UpstreamCall<T>> call
    )
        where T : class =>
        Add(
            new RequiredPart<T>(
                this,
                name,
                [after.First, after.Second, after.Third],
                () => call(after.First.Value!, after.Second.Value!, after.Third.Value!)
            )
        );

    /// <summary>Declares an optional part that needs the values of three others, and is called only when all exist.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The parts whose values are needed: <see cref="Parts.All{TFirst, TSecond, TThird}"/>.</param>
    /// <param name="call">Builds the call from those values; returns null to leave the part out.</param>
    public ReadPart<T> Optional<TFirst, TSecond, TThird, T>(
        string name,
        Needs<TFirst, TSecond, TThird> after,
        Func<TFirst, TSecond, TThird, UpstreamCall<T>?> call
    )
        where T : class =>
        Read(
            name,
            isRequired: false,
            [after.First, after.Second, after.Third],
            () => call(after.First.Value!, after.Second.Value!, after.Third.Value!)
        );

    /// <summary>Declares a required part that changes something; see <see cref="WritePart{T}"/>.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="write">The write; sent once, or again under the caller's idempotency key.</param>
    public RequiredWrite<T> Write<T>(string name, UpstreamWrite<T> write)
        where T : class => Add(new RequiredWrite<T>(this, name, write.Call));

    /// <summary>Declares a write that needs another part's value, and is sent only when that exists; this puts writes in order.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The part whose value is needed.</param>
    /// <param name="write">Builds the write from that value.</param>
    public RequiredWrite<T> Write<TOther, T>(string name, Part<TOther> after, Func<TOther, UpstreamWrite<T>> write)
        where T : class => Add(new RequiredWrite<T>(this, name, [after], () => write(after.Value!).Call));

    /// <inheritdoc cref="Write{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamWrite{T}})"/>
    public RequiredWrite<T> Write<TOther, T>(string name, RequiredValuePart<TOther> after, Func<TOther, UpstreamWrite<T>> write)
        where TOther : struct
        where T : class => Add(new RequiredWrite<T>(this, name, [after], () => write(after.Value).Call));

    /// <summary>Declares a write that needs the values of two other parts, and is sent only when both exist.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">The parts whose values are needed: <see cref="Parts.All{TFirst, TSecond}"/>.</param>
    /// <param name="write">Builds the write from those values.</param>
    public RequiredWrite<T> Write<TFirst, TSecond, T>(
        string name,
        Needs<TFirst, TSecond> after,
        Func<TFirst, TSecond, UpstreamWrite<T>> write
    )
        where T : class =>
        Add(new RequiredWrite<T>(this, name, [after.First, after.Second], () => write(after.First.Value!, after.Second.Value!).Call));

    internal ReadPart<T> Read<T>(string name, bool isRequired, UpstreamCall<T> call) => Add(new ReadPart<T>(this, name, isRequired, call));

    internal ReadPart<T> Read<T>(string name, bool isRequired, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> call) =>
        Add(new ReadPart<T>(this, name, isRequired, after, call));

    internal WritePart<T> Write<T>(string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> call) =>
        Add(new WritePart<T>(this, name, after, call));

    /// <summary>Undoes the writes that succeeded before another part failed, the latest first, if they declare how.</summary>
    private async ValueTask TakeBack()
    {
        for (var i = _parts.Count - 1; i >= 0; i--)
        {
            await _parts[i].TakeBack();
        }
    }
}
