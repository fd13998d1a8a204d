using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>What parts an answer is made of. Of numbers and other structs: <see cref="ValueParts"/>.</summary>
public sealed partial class Composer
{
    /// <summary>A part without which there is no answer: its failure is the request's.</summary>
    /// <param name="name">As in configuration, <c>_meta</c> and <c>Server-Timing</c>.</param>
    /// <param name="call">What is asked; made when the composition runs.</param>
    public RequiredPart<T> Required<T>(string name, UpstreamCall<T> call)
        where T : class => Add(new RequiredPart<T>(this, name, call));

    /// <summary>A part that the answer can do without: null when it fails.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="call">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    public ReadPart<T> Optional<T>(string name, UpstreamCall<T> call)
        where T : class => Read(name, isRequired: false, call);

    /// <summary>A part without which there is no answer, asked with another part's value, and only when there is one.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on.</param>
    /// <param name="call">What is asked with that value.</param>
    public RequiredPart<T> Required<TOther, T>(string name, Part<TOther> after, Func<TOther, UpstreamCall<T>> call)
        where T : class => Add(new RequiredPart<T>(this, name, [after], () => call(after.Value!)));

    /// <summary>A part that the answer can do without, asked with another part's value, and only when there is one.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on.</param>
    /// <param name="call">What is asked with that value; null where the part is not wanted.</param>
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

    /// <summary>A part without which there is no answer, asked with the values of two others, and only when both are there.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on: <see cref="Parts.All{TFirst, TSecond}"/>.</param>
    /// <param name="call">What is asked with those values.</param>
    public RequiredPart<T> Required<TFirst, TSecond, T>(
        string name,
        Needs<TFirst, TSecond> after,
        Func<TFirst, TSecond, UpstreamCall<T>> call
    )
        where T : class =>
        Add(new RequiredPart<T>(this, name, [after.First, after.Second], () => call(after.First.Value!, after.Second.Value!)));

    /// <summary>A part that the answer can do without, asked with the values of two others, and only when both are there.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on: <see cref="Parts.All{TFirst, TSecond}"/>.</param>
    /// <param name="call">What is asked with those values; null where the part is not wanted.</param>
    public ReadPart<T> Optional<TFirst, TSecond, T>(string name, Needs<TFirst, TSecond> after, Func<TFirst, TSecond, UpstreamCall<T>?> call)
        where T : class => Read(name, isRequired: false, [after.First, after.Second], () => call(after.First.Value!, after.Second.Value!));

    /// <summary>A part without which there is no answer, asked with the values of three others, and only when all are there.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on: <see cref="Parts.All{TFirst, TSecond, TThird}"/>.</param>
    /// <param name="call">What is asked with those values.</param>
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

    /// <summary>A part that the answer can do without, asked with the values of three others, and only when all are there.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on: <see cref="Parts.All{TFirst, TSecond, TThird}"/>.</param>
    /// <param name="call">What is asked with those values; null where the part is not wanted.</param>
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

    /// <summary>A required part that changes something; see <see cref="WritePart{T}"/>.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="write">What is sent: once, or again under the caller's key.</param>
    public RequiredWrite<T> Write<T>(string name, UpstreamWrite<T> write)
        where T : class => Add(new RequiredWrite<T>(this, name, write.Call));

    /// <summary>The same with another part's value, and only when there is one: writes in their order.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on.</param>
    /// <param name="write">What is sent with that value.</param>
    public RequiredWrite<T> Write<TOther, T>(string name, Part<TOther> after, Func<TOther, UpstreamWrite<T>> write)
        where T : class => Add(new RequiredWrite<T>(this, name, [after], () => write(after.Value!).Call));

    /// <inheritdoc cref="Write{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamWrite{T}})"/>
    public RequiredWrite<T> Write<TOther, T>(string name, RequiredValuePart<TOther> after, Func<TOther, UpstreamWrite<T>> write)
        where TOther : struct
        where T : class => Add(new RequiredWrite<T>(this, name, [after], () => write(after.Value).Call));

    /// <summary>The same with the values of two others, and only when both are there.</summary>
    /// <param name="name">As for <see cref="Required{T}(string, UpstreamCall{T})"/>.</param>
    /// <param name="after">What it depends on: <see cref="Parts.All{TFirst, TSecond}"/>.</param>
    /// <param name="write">What is sent with those values.</param>
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

    /// <summary>Undoes, the latest first, the writes that succeeded before another part failed, where they say how.</summary>
    private async ValueTask TakeBack()
    {
        for (var i = _parts.Count - 1; i >= 0; i--)
        {
            await _parts[i].TakeBack();
        }
    }
}
