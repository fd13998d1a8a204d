using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>
/// Declares parts whose value is a number or another struct. An optional part or a write without a value has null (<c>int?</c>).
/// </summary>
public static class ValueParts
{
    /// <inheritdoc cref="Composer.Required{T}(string, UpstreamCall{T})"/>
    public static RequiredValuePart<T> Required<T>(this Composer composer, string name, UpstreamCall<T> call)
        where T : struct => composer.Add(new RequiredValuePart<T>(composer, name, new NullableCall<T>(call)));

    /// <inheritdoc cref="Composer.Optional{T}(string, UpstreamCall{T})"/>
    public static ReadPart<T?> Optional<T>(this Composer composer, string name, UpstreamCall<T> call)
        where T : struct => composer.Read(name, isRequired: false, new NullableCall<T>(call));

    /// <inheritdoc cref="Composer.Required{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamCall{T}})"/>
    public static RequiredValuePart<T> Required<TOther, T>(
        this Composer composer,
        string name,
        Part<TOther> after,
        Func<TOther, UpstreamCall<T>> call
    )
        where T : struct => composer.Add(new RequiredValuePart<T>(composer, name, [after], () => Nullable(call(after.Value!))));

    /// <inheritdoc cref="Composer.Optional{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamCall{T}})"/>
    public static ReadPart<T?> Optional<TOther, T>(
        this Composer composer,
        string name,
        Part<TOther> after,
        Func<TOther, UpstreamCall<T>?> call
    )
        where T : struct => composer.Read(name, isRequired: false, [after], () => Nullable(call(after.Value!)));

    /// <inheritdoc cref="Composer.Required{TFirst, TSecond, T}(string, Needs{TFirst, TSecond}, Func{TFirst, TSecond, UpstreamCall{T}})"/>
    public static RequiredValuePart<T> Required<TFirst, TSecond, T>(
        this Composer composer,
        string name,
        Needs<TFirst, TSecond> after,
        Func<TFirst, TSecond, UpstreamCall<T>> call
    )
        where T : struct =>
        composer.Add(
            new RequiredValuePart<T>(
                composer,
                name,
                [after.First, after.Second],
                () => Nullable(call(after.First.Value!, after.Second.Value!))
            )
        );

    /// <inheritdoc cref="Composer.Optional{TFirst, TSecond, T}(string, Needs{TFirst, TSecond}, Func{TFirst, TSecond, UpstreamCall{T}})"/>
    public static ReadPart<T?> Optional<TFirst, TSecond, T>(
        this Composer composer,
        string name,
        Needs<TFirst, TSecond> after,
        Func<TFirst, TSecond, UpstreamCall<T>?> call
    )
        where T : struct =>
        composer.Read(name, isRequired: false, [after.First, after.Second], () => Nullable(call(after.First.Value!, after.Second.Value!)));

    /// <inheritdoc cref="Composer.Write{T}(string, UpstreamWrite{T})"/>
    public static WritePart<T?> Write<T>(this Composer composer, string name, UpstreamWrite<T> write)
        where T : struct => composer.Write<T?>(name, [], () => new NullableCall<T>(write.Call));

    /// <inheritdoc cref="Composer.Write{TOther, T}(string, Part{TOther}, Func{TOther, UpstreamWrite{T}})"/>
    public static WritePart<T?> Write<TOther, T>(
        this Composer composer,
        string name,
        Part<TOther> after,
        Func<TOther, UpstreamWrite<T>?> write
    )
        where T : struct => composer.Write<T?>(name, [after], () => Nullable(write(after.Value!)?.Call));

    private static NullableCall<T>? Nullable<T>(UpstreamCall<T>? call)
        where T : struct => call is null ? null : new(call);
}
